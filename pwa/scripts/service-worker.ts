/** After the app is built: lists every file the service worker keeps, packs the pictures into one, and builds /sw.js. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, type Plugin, type ResolvedConfig } from 'vite';

/** Fetched one by one when needed, or never by the worker. */
const LEFT_OUT = /^\/(\.vite\/|symbols\/|sw\.js|pictures\.json|kill-switch\.json)|\.map$/;

export interface Kept {
  url: string;
  /** Subresource integrity: an install that meets files of two releases fails, and is tried again. */
  integrity: string;
}

export function serviceWorker(version: string): Plugin {
  let config: ResolvedConfig;
  return {
    name: 'mos-service-worker',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    writeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        const dist = join(config.root, config.build.outDir);
        packPictures(dist);
        const files = [...filesIn(dist)].map((path) => `/${relative(dist, path)}`).sort();
        const kept = files.filter((url) => !LEFT_OUT.test(url)).map((url) => keep(dist, url));
        kept.push(keep(dist, '/pictures.json'));
        const name = createHash('sha256').update(JSON.stringify(kept)).digest('hex').slice(0, 12);
        await build({
          configFile: false,
          root: config.root,
          logLevel: 'warn',
          publicDir: false,
          define: {
            __KEPT__: JSON.stringify(kept),
            __BUILD__: JSON.stringify(name),
            __MOS_VERSION__: JSON.stringify(version),
          },
          build: {
            target: 'es2022',
            outDir: dist,
            emptyOutDir: false,
            copyPublicDir: false,
            lib: {
              entry: join(config.root, 'src/sw/sw.ts'),
              formats: ['iife'],
              name: 'mosSw',
              fileName: () => 'sw.js',
            },
          },
        });
      },
    },
  };
}

/** Two hundred small pictures in one request: `{"/symbols/fish.svg": "<svg…"}`. */
function packPictures(dist: string): void {
  const folder = join(dist, 'symbols');
  const pack: Record<string, string> = {};
  for (const path of [...filesIn(folder)].sort())
    pack[`/${relative(dist, path)}`] = readFileSync(path, 'utf8');
  rmSync(join(dist, 'pictures.json'), { force: true });
  writeFileSync(join(dist, 'pictures.json'), JSON.stringify(pack));
}

function keep(dist: string, url: string): Kept {
  const digest = createHash('sha256')
    .update(readFileSync(join(dist, url)))
    .digest('base64');
  // The page is what a person sees first: it is kept under its address, not its file name.
  return { url: url === '/index.html' ? '/' : url, integrity: `sha256-${digest}` };
}

function* filesIn(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else yield path;
  }
}

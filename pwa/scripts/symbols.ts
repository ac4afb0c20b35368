/** Copies the OpenMoji pictures that MOS names (src/ui/symbols.ts) to /symbols/<name>.svg, and their line drawings to /symbols/line/. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { SYMBOLS, isSymbol } from '../src/ui/symbols.ts';

const OPENMOJI = dirname(createRequire(import.meta.url).resolve('openmoji/package.json'));
const DRAWINGS = fileURLToPath(new URL('../src/ui/drawings', import.meta.url));

/** The drawing as it is, without what editors leave in it. */
function picture(name: keyof typeof SYMBOLS, kind: 'color' | 'black'): string {
  const hex = SYMBOLS[name];
  const file =
    hex === '' ? join(DRAWINGS, `${name}.svg`) : join(OPENMOJI, kind, 'svg', `${hex}.svg`);
  const svg = readFileSync(file, 'utf8');
  return svg
    .replace(/<!--.*?-->/gs, '')
    .replace(/>\s+</g, '><')
    .trim();
}

export function symbols(): Plugin {
  return {
    name: 'mos-symbols',
    transform(code, id) {
      // Which picture a name stands for is settled when the files are copied; the built app needs the names alone.
      if (!id.endsWith('/src/ui/symbols.ts') || this.environment.config.command !== 'build') return;
      return { code: code.replace(/(["'])[0-9A-F]{4,5}(-[0-9A-F]{4,5})*\1/g, '""'), map: null };
    },
    generateBundle() {
      for (const name of Object.keys(SYMBOLS)) {
        if (!isSymbol(name)) continue;
        this.emitFile({
          type: 'asset',
          fileName: `symbols/${name}.svg`,
          source: picture(name, 'color'),
        });
        this.emitFile({
          type: 'asset',
          fileName: `symbols/line/${name}.svg`,
          source: picture(name, 'black'),
        });
      }
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const found = /^\/symbols\/(line\/)?([a-z0-9-]+)\.svg/.exec(request.url ?? '');
        const name = found?.[2] ?? '';
        if (!found || !isSymbol(name)) return next();
        response.setHeader('content-type', 'image/svg+xml');
        response.end(picture(name, found[1] ? 'black' : 'color'));
      });
    },
  };
}

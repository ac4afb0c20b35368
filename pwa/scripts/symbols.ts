/** Copies the OpenMoji pictures that MOS names (src/ui/symbols.ts) to /symbols/<name>.svg, and their line drawings to /symbols/line/. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';
import { SYMBOLS, isSymbol } from '../src/ui/symbols.ts';

const OPENMOJI = dirname(createRequire(import.meta.url).resolve('openmoji/package.json'));

/** The drawing as it is, without what editors leave in it. */
function picture(name: keyof typeof SYMBOLS, kind: 'color' | 'black'): string {
  const svg = readFileSync(join(OPENMOJI, kind, 'svg', `${SYMBOLS[name]}.svg`), 'utf8');
  return svg
    .replace(/<!--.*?-->/gs, '')
    .replace(/>\s+</g, '><')
    .trim();
}

export function symbols(): Plugin {
  return {
    name: 'mos-symbols',
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

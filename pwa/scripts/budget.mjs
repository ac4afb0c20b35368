/** Adds up the JavaScript that a resident's first screen loads, gzipped, and fails above its budget: the entry and the
 *  resident's screen (scripts/chunks.ts), all that both import, and the Swedish words of both. Run by `npm run build`. */
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET = 60_000;
const DIST = 'dist';
const STARTS = ['src/locales/sv/common.json', 'src/locales/sv/resident.json'];

const manifest = JSON.parse(readFileSync(`${DIST}/.vite/manifest.json`, 'utf8'));

/** @param {string} name @param {Set<string>} seen */
function follow(name, seen) {
  const chunk = manifest[name];
  if (chunk === undefined || seen.has(name)) return;
  seen.add(name);
  for (const each of chunk.imports ?? []) follow(each, seen);
}

// The page names the entry; the manifest has it under its chunk's name.
const entry = /src="\/(assets\/[^"]+\.js)"/.exec(readFileSync(`${DIST}/index.html`, 'utf8'))?.[1];
const seen = new Set();
for (const [name, chunk] of Object.entries(manifest)) {
  if (chunk.file === entry || chunk.name === 'first-screen') follow(name, seen);
}
for (const start of STARTS) {
  if (manifest[start] === undefined) console.log(`  not built: ${start}`);
  follow(start, seen);
}
const files = new Set(
  [...seen].map((name) => manifest[name].file).filter((file) => file.endsWith('.js')),
);
if (existsSync(`${DIST}/theme.js`)) files.add('theme.js');

let total = 0;
for (const file of files) {
  const size = gzipSync(readFileSync(`${DIST}/${file}`), { level: 9 }).length;
  total += size;
  console.log(`${String(size).padStart(8)}  ${file}`);
}
console.log(
  `${String(total).padStart(8)}  JavaScript of a resident's first screen, gzipped; budget ${BUDGET}`,
);
if (total > BUDGET) {
  console.error(`Over the budget by ${total - BUDGET} bytes.`);
  process.exit(1);
}

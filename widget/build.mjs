// Bundles src/ into dist/abt-chat.js and writes its SRI hash beside it.
// What the widget carries for offline use (site, notice, helplines) comes as JSON on standard input,
// from `python -m scripts.build_widget`, so that no number and no address stands in the source.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';

const here = new URL('./', import.meta.url);
const out = new URL('dist/abt-chat.js', here);
const carried = JSON.stringify(JSON.parse(await text(process.stdin)));

/** `abt:carried` is the JSON above; a style sheet is imported as minified text. */
const plugin = {
  name: 'abt',
  setup(build) {
    build.onResolve({ filter: /^abt:carried$/ }, () => ({ path: 'carried', namespace: 'abt' }));
    build.onLoad({ filter: /.*/, namespace: 'abt' }, () => ({ contents: carried, loader: 'json' }));
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await esbuild.transform(await readFile(path, 'utf8'), { loader: 'css', minify: true });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};

await esbuild.build({
  absWorkingDir: new URL('.', here).pathname,
  entryPoints: ['src/index.js'],
  outfile: out.pathname,
  bundle: true,
  minify: true,
  charset: 'utf8',
  format: 'iife',
  target: 'es2020',
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [plugin],
});

const file = await readFile(out);
const hash = `sha384-${createHash('sha384').update(file).digest('base64')}`;
await writeFile(new URL(`${out.href}.sri`), `${hash}\n`);
console.log(`widget/dist/abt-chat.js: ${file.length} bytes, ${gzipSync(file, { level: 9 }).length} gzipped, ${hash}`);

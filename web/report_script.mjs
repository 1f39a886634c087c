// Builds what draws a network in reports into DIR (first argument): one script and one style sheet, without a request to
// anywhere, and network_drawing.S, which carries them into the binary. Needs no network.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = resolve(process.argv[2] ?? join(here, 'dist'));
mkdirSync(out, { recursive: true });

/** Their licence asks to be kept with copies. */
const licence = readFileSync(join(here, 'node_modules/@dagrejs/dagre/LICENSE'), 'utf8').trim();
const common = { absWorkingDir: here, bundle: true, minify: true, target: ['es2022'], legalComments: 'none' };
await build({
  ...common,
  entryPoints: ['src/report_network.ts'],
  format: 'iife',
  banner: { js: `/* holds dagre and graphlib:\n${licence} */` },
  outfile: join(out, 'network_drawing.js'),
});
await build({ ...common, entryPoints: ['src/network.css'], outfile: join(out, 'network_drawing.css') });

const symbol = (name, file) =>
  `  .global ${name}\n${name}:\n  .incbin "${join(out, file)}"\n  .global ${name}_end\n${name}_end:\n`;
writeFileSync(
  join(out, 'network_drawing.S'),
  `  .section .rodata\n${symbol('fogline_network_script', 'network_drawing.js')}${symbol('fogline_network_style', 'network_drawing.css')}` +
    '  .section .note.GNU-stack,"",%progbits\n',
);

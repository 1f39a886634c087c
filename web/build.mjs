// Builds the page into DIR (first argument): bundles the TypeScript, draws the land from Natural Earth data, compresses
// every file, and writes assets.S and assets_table.cc, which carry the files into the binary. Needs no network.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { coloursPlugin } from './colours.mjs';
import { mapCssPlugin } from './map_css.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(here, 'package.json'));
const esbuild = require('esbuild');
const topojson = { ...require('topojson-client'), ...require('topojson-simplify') };
const out = resolve(process.argv[2] ?? join(here, 'dist'));
mkdirSync(out, { recursive: true });

const text = (path) => readFileSync(join(here, path), 'utf8');
const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json',
  svg: 'image/svg+xml',
  webmanifest: 'application/manifest+json',
  yaml: 'application/yaml',
  txt: 'text/plain; charset=utf-8',
};

/** Countries at 1:50 million, thinned to what a map of the world needs: from 230 kB compressed to about 50. */
function world() {
  let atlas = JSON.parse(text('node_modules/world-atlas/countries-50m.json'));
  delete atlas.objects.land; // the countries' outlines hold it
  atlas = topojson.presimplify(atlas);
  atlas = topojson.simplify(atlas, 0.02);
  atlas = topojson.filter(atlas, topojson.filterWeight(atlas, 0.01));
  atlas = topojson.quantize(atlas, 1e4);
  for (const country of atlas.objects.countries.geometries) {
    country.properties = { name: country.properties.name };
    delete country.id;
  }
  return JSON.stringify(atlas);
}

async function bundle() {
  const result = await esbuild.build({
    absWorkingDir: here,
    entryPoints: { app: 'src/main.ts', style: 'src/style.css', plan: 'src/plan.css' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022'],
    // MapLibre's build for strict content security policies: its worker is a file of its own.
    alias: { 'maplibre-gl': './node_modules/maplibre-gl/dist/maplibre-gl-csp.js' },
    splitting: true,
    plugins: [coloursPlugin, mapCssPlugin],
    outdir: out,
    write: false,
    legalComments: 'none',
    logLevel: 'warning',
  });
  return result.outputFiles.map((file) => [file.path.slice(out.length), Buffer.from(file.contents)]);
}

/** The licences of what is bundled, as they ask. */
function licences() {
  const licence = (name) => {
    const folder = `node_modules/${name}`;
    const file = ['LICENSE.txt', 'LICENSE', 'LICENSE.md'].find((f) => existsSync(join(here, folder, f)));
    return file ? text(`${folder}/${file}`) : JSON.parse(text(`${folder}/package.json`)).license;
  };
  const packages = [
    'maplibre-gl',
    '@dagrejs/dagre',
    '@dagrejs/graphlib',
    '@mapbox/vector-tile',
    'pbf',
    'topojson-client',
    'pmtiles',
    'world-atlas',
  ];
  const all = packages.map((name) => `== ${name}\n\n${licence(name)}\n`).join('\n');
  return `${all}\nLand and borders: Natural Earth (public domain).\n`;
}

const files = new Map(await bundle());
files.set(
  '/maplibre-worker.js',
  readFileSync(join(here, 'node_modules/maplibre-gl/dist/maplibre-gl-csp-worker.js')),
);
files.set('/index.html', Buffer.from(text('src/index.html')));
files.set('/icon.svg', Buffer.from(text('src/icon.svg')));
files.set('/world.json', Buffer.from(world()));
files.set('/openapi.yaml', Buffer.from(text('../docs/openapi.yaml')));
files.set('/licences.txt', Buffer.from(licences()));

const rows = [];
let assembly = '  .section .rodata\n';
let total = 0;
[...files]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .forEach(([path, content], index) => {
    const packed = gzipSync(content, { level: 9 });
    total += packed.length;
    const file = join(out, `asset_${index}.gz`);
    writeFileSync(file, packed);
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 20);
    assembly += `  .global fogline_asset_${index}\nfogline_asset_${index}:\n  .incbin "${file}"\n`;
    rows.push({
      index,
      path,
      packed,
      hash,
      content,
      type: types[path.split('.').pop()] ?? 'application/octet-stream',
    });
  });
assembly += '  .section .note.GNU-stack,"",%progbits\n';
writeFileSync(join(out, 'assets.S'), assembly);
writeFileSync(
  join(out, 'assets_table.cc'),
  `// Written by web/build.mjs.
#include "web/assets.h"

extern "C" {
${rows.map((row) => `extern const char fogline_asset_${row.index}[];`).join('\n')}
}

namespace fogline {

std::span<const Asset> Assets() {
  static const Asset assets[] = {
${rows.map((row) => `      {"${row.path}", "${row.type}", "\\"${row.hash}\\"", {fogline_asset_${row.index}, ${row.packed.length}}, ${row.content.length}},`).join('\n')}
  };
  return assets;
}

}  // namespace fogline
`,
);
console.log(`page: ${rows.length} files, ${(total / 1000).toFixed(0)} kB compressed`);

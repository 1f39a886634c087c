// A made-up town as a PMTiles archive of vector tiles (version 3, docs.protomaps.com/pmtiles), in either of the two schemas that people
// have: a lake, a wood, a park, buildings, a motorway, a main street, a lane, a path, a railway, and their names.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const source = process.env.FOGLINE_SOURCE_DIR ?? join(import.meta.dirname ?? '.', '../..');
const require = createRequire(join(source, 'web/package.json'));
const { zxyToTileId } = require('pmtiles');

export const town = { lat: 48.001, lon: 11.002 };
const zooms = [0, 14];
const extent = 4096;

// ---- protocol buffers, as much of them as tiles need

function varint(n) {
  const out = [];
  let rest = BigInt(n);
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  out.push(Number(rest));
  return Buffer.from(out);
}
const bytesField = (number, bytes) => Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
const numberField = (number, value) => Buffer.concat([varint(number * 8), varint(value)]);
const zigzag = (n) => (n << 1) ^ (n >> 31);

/** A layer of features {type: 1 point, 2 line, 3 polygon; at: [[x, y] …] in the tile; tags}. */
function layerBytes(name, features) {
  const keys = [];
  const values = [];
  const place = (list, item) => (list.includes(item) ? list.indexOf(item) : list.push(item) - 1);
  const packed = features.map(({ type, at, tags }) => {
    const tagIds = Object.entries(tags).flatMap(([key, value]) => [place(keys, key), place(values, value)]);
    const geometry = [];
    let [x, y] = [0, 0];
    at.forEach(([toX, toY], i) => {
      if (i === 0) geometry.push(1 | (1 << 3));
      if (i === 1) geometry.push(2 | ((at.length - 1) << 3));
      geometry.push(zigzag(toX - x) >>> 0, zigzag(toY - y) >>> 0);
      [x, y] = [toX, toY];
    });
    if (type === 3) geometry.push(7 | (1 << 3));
    return bytesField(2, Buffer.concat([bytesField(2, Buffer.concat(tagIds.map(varint))), numberField(3, type),
      bytesField(4, Buffer.concat(geometry.map(varint)))]));
  });
  const valueBytes = (value) => (typeof value === 'number' ? numberField(4, value) : bytesField(1, Buffer.from(value)));
  return bytesField(3, Buffer.concat([numberField(15, 2), bytesField(1, Buffer.from(name)), ...packed,
    ...keys.map((key) => bytesField(3, Buffer.from(key))), ...values.map((value) => bytesField(4, valueBytes(value))), numberField(5, extent)]));
}

// ---- the town

const square = (west, north, east, south) => [[west, north], [east, north], [east, south], [west, south]];
/** What there is, in parts of the tile at zoom 14 that the town lies in. */
const things = [
  { what: 'lake', type: 3, at: square(0.05, 0.05, 0.35, 0.4), name: 'Mirror Lake' },
  { what: 'wood', type: 3, at: square(0.65, 0.05, 0.95, 0.4) },
  { what: 'park', type: 3, at: square(0.05, 0.65, 0.35, 0.95) },
  { what: 'building', type: 3, at: square(0.55, 0.55, 0.62, 0.62) },
  { what: 'motorway', type: 2, at: [[0, 0.5], [1, 0.5]], name: 'Ring' },
  { what: 'main', type: 2, at: [[0.5, 0], [0.5, 1]], name: 'Long Street' },
  { what: 'lane', type: 2, at: [[0.5, 0.75], [1, 0.75]], name: 'Baker Lane' },
  { what: 'path', type: 2, at: [[0.4, 0.5], [0.4, 1]] },
  { what: 'rail', type: 2, at: [[0, 0.55], [1, 0.45]] },
  { what: 'town', type: 1, at: [[0.55, 0.45]], name: 'Fogham' },
];

/** [layer, tags] of each thing. */
const words = {
  openmaptiles: {
    lake: ['water', { class: 'lake' }], wood: ['landcover', { class: 'wood' }], park: ['park', { class: 'park' }],
    building: ['building', { render_height: 8 }], motorway: ['transportation', { class: 'motorway' }],
    main: ['transportation', { class: 'primary' }], lane: ['transportation', { class: 'minor' }],
    path: ['transportation', { class: 'path' }], rail: ['transportation', { class: 'rail' }],
    town: ['place', { class: 'town', rank: 9 }],
  },
  protomaps: {
    lake: ['water', { kind: 'lake' }], wood: ['landuse', { kind: 'wood' }], park: ['landuse', { kind: 'park' }],
    building: ['buildings', { kind: 'building' }], motorway: ['roads', { kind: 'highway', kind_detail: 'motorway' }],
    main: ['roads', { kind: 'major_road', kind_detail: 'primary' }], lane: ['roads', { kind: 'minor_road', kind_detail: 'residential' }],
    path: ['roads', { kind: 'path', kind_detail: 'footway' }], rail: ['roads', { kind: 'rail' }],
    town: ['places', { kind: 'locality', kind_detail: 'town', population_rank: 8 }],
  },
};

function tile(schema, z, x, y, home) {
  const layers = new Map();
  const put = (layer, feature) => layers.set(layer, [...(layers.get(layer) ?? []), feature]);
  const scale = 2 ** (z - home.z);
  for (const { what, type, at, name } of things) {
    const [layer, tags] = words[schema][what];
    const placed = at.map(([px, py]) =>
      [((home.x + px) * scale - x) * extent, ((home.y + py) * scale - y) * extent].map(Math.round));
    const named = name === undefined ? tags : { ...tags, name };
    const nameLayer = schema === 'openmaptiles' && type === 2 ? 'transportation_name' : null;
    put(layer, { type, at: placed, tags: nameLayer ? tags : named });
    if (nameLayer && name) put(nameLayer, { type, at: placed, tags: named });
  }
  return gzipSync(Buffer.concat([...layers].map(([name, features]) => layerBytes(name, features))));
}

const n = 2 ** 14;
const rad = (town.lat * Math.PI) / 180;
const home = { z: 14, x: Math.floor(((town.lon + 180) / 360) * n), y: Math.floor(((1 - Math.asinh(Math.tan(rad)) / Math.PI) / 2) * n) };

/** One of its tiles, compressed; null: there is nothing. */
export const townTile = (schema, z, x, y) =>
  z <= 14 && x === home.x >> (14 - z) && y === home.y >> (14 - z) ? tile(schema, z, x, y, home) : null;

/** `about`: what else its metadata says. */
export function townArchive(schema, about = {}) {
  const tiles = [];
  for (let z = zooms[0]; z <= zooms[1]; z += 1) {
    const [x, y] = [home.x >> (14 - z), home.y >> (14 - z)];
    tiles.push({ id: zxyToTileId(z, x, y), bytes: tile(schema, z, x, y, home) });
  }
  tiles.sort((a, b) => a.id - b.id);
  const ids = tiles.map(({ id }, i) => id - (tiles[i - 1]?.id ?? 0));
  // Entry after entry each column: ids as steps, runs, lengths, offsets (0: right behind the one before).
  const directory = gzipSync(Buffer.concat([varint(tiles.length), ...ids.map(varint), ...tiles.map(() => varint(1)),
    ...tiles.map(({ bytes }) => varint(bytes.length)), ...tiles.map((_, i) => varint(i === 0 ? 1 : 0))]));
  const layers = [...new Set([...Object.values(words[schema]).map(([layer]) => layer), ...(schema === 'openmaptiles' ? ['transportation_name'] : [])])];
  const metadata = gzipSync(Buffer.from(JSON.stringify({ vector_layers: layers.map((id) => ({ id, fields: {} })), ...about })));
  const data = Buffer.concat(tiles.map(({ bytes }) => bytes));
  const header = Buffer.alloc(127);
  header.write('PMTiles');
  header[7] = 3;
  const sizes = [127, directory.length, 127 + directory.length, metadata.length, 127 + directory.length + metadata.length, 0,
    127 + directory.length + metadata.length, data.length, tiles.length, tiles.length, tiles.length];
  sizes.forEach((value, i) => header.writeBigUInt64LE(BigInt(value), 8 + 8 * i));
  header[96] = 1; // clustered
  header[97] = 2; // directories: gzip
  header[98] = 2; // tiles: gzip
  header[99] = 1; // vector tiles
  [header[100], header[101]] = zooms;
  const latitude = (y) => (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / n))) * 180) / Math.PI;
  const edges = [(home.x / n) * 360 - 180, latitude(home.y + 1), ((home.x + 1) / n) * 360 - 180, latitude(home.y)]
    .map((degrees) => Math.round(degrees * 1e7));
  edges.forEach((value, i) => header.writeInt32LE(value, 102 + 4 * i));
  return Buffer.concat([header, directory, metadata, data]);
}

// README's picture of the map: walks along the streets of a base map, made up, and the map on them.
//   node bench/map_picture.mjs build/release/tests/web/web_test_server TOWN.pmtiles LAT,LON docs/images/map.png [dark]
// TOWN.pmtiles as docs/streets.md makes it, in OpenMapTiles' schema; LAT,LON a place in it. Three devices walk the longest named streets round it,
// a picture every 18 m, one in three of them positive.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const [binary, town, place, out, theme] = process.argv.slice(2);
if (!out) throw new Error('use: map_picture.mjs TEST_SERVER TOWN.pmtiles LAT,LON PICTURE [dark]');
const source = fileURLToPath(new URL('..', import.meta.url));
process.env.FOGLINE_SOURCE_DIR ??= source;
process.env.FOGLINE_WEB_TEST_SERVER = binary;
const { Browser, Server } = await import('../tests/web/harness.mjs');
const modules = createRequire(`${source}/web/package.json`);
const { PMTiles } = modules('pmtiles');
const { VectorTile } = modules('@mapbox/vector-tile');
const Pbf = modules('pbf');
const [lat, lon] = place.split(',').map(Number);

const kZoom = 14;
const kStep = 18; // m
const tileOf = (at) => {
  const n = 2 ** kZoom;
  const rad = (at.lat * Math.PI) / 180;
  return [Math.floor(((at.lon + 180) / 360) * n), Math.floor(((1 - Math.asinh(Math.tan(rad)) / Math.PI) / 2) * n)];
};
const metres = (a, b) => Math.hypot((b.lat - a.lat) * 111_320, (b.lon - a.lon) * 111_320 * Math.cos((a.lat * Math.PI) / 180));

/** The named streets of the tile round the place, each as its longest line. */
async function streets() {
  const file = readFileSync(town);
  const archive = new PMTiles({
    getKey: () => town,
    getBytes: async (offset, length) => ({ data: new Uint8Array(file.subarray(offset, offset + length)).buffer }),
  });
  const [x, y] = tileOf({ lat, lon });
  const tile = new VectorTile(new (Pbf.default ?? Pbf)(new Uint8Array((await archive.getZxy(kZoom, x, y)).data)));
  const layer = tile.layers.transportation_name ?? tile.layers.transportation;
  const longest = new Map();
  for (let i = 0; i < layer.length; i++) {
    const { geometry, properties } = layer.feature(i).toGeoJSON(x, y, kZoom);
    if (properties.class === 'motorway' || properties.class === 'rail') continue;
    for (const line of geometry.type === 'MultiLineString' ? geometry.coordinates : [geometry.coordinates]) {
      const points = line.map(([east, north]) => ({ lat: north, lon: east }));
      const length = points.slice(1).reduce((sum, point, k) => sum + metres(points[k], point), 0);
      const name = properties.name ?? '';
      if (length > (longest.get(name)?.length ?? 60)) longest.set(name, { points, length, middle: points[points.length >> 1] });
    }
  }
  return [...longest.values()].sort((a, b) => metres(a.middle, { lat, lon }) - metres(b.middle, { lat, lon })).slice(0, 26);
}

/** Points along a line, kStep apart. */
function* along({ points }) {
  let left = 0;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    const length = metres(a, b);
    for (; left < length; left += kStep) yield { lat: a.lat + ((b.lat - a.lat) * left) / length, lon: a.lon + ((b.lon - a.lon) * left) / length };
    left -= length;
  }
}

let seed = 7;
const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
const server = await Server.start('--basemap', town);
const browser = await Browser.start();
try {
  let captured = Date.now() - 2.5 * 3_600_000;
  for (const [number, street] of (await streets()).entries()) {
    const device = `bike-${1 + (number % 3)}`;
    captured += 240_000;
    let dirt = random(); // litter lies where litter lies
    for (const point of along(street)) {
      captured += 4000;
      dirt = Math.min(1, Math.max(0, dirt + (random() - 0.5) * 0.5));
      const positive = dirt > 0.62;
      const jitter = () => (random() - 0.5) * 4e-5;
      await server.put({ device, captured, lat: point.lat + jitter(), lon: point.lon + jitter(), positive, label: positive ? 'litter' : 'clean',
        score: positive ? 0.5 + 0.5 * dirt * random() : 0.4 * random(), mechanism: ['split', 'edge-only', 'cloud-only'][number % 3] });
    }
  }
  const page = await browser.page(`${server.url}/?lat=${lat}&lon=${lon}&z=15.4`,
    { size: { width: 1440, height: 900 }, media: { colorScheme: theme ?? 'light' }, ready: false });
  await page.waitForFunction(() => document.documentElement.dataset.settled === 'true', null, { timeout: 120_000 });
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: out });
} finally {
  await browser.stop();
  await server.stop();
}

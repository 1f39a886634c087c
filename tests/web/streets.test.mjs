// Streets beneath the detections: from a file, from another server, in light and dark; and nobody is asked whom the operator did not name.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Browser, patience, Server } from './harness.mjs';
import { town, townArchive, townTile } from './streets_writer.mjs';

let browser;
let folder;
before(async () => {
  browser = await Browser.start();
  folder = mkdtempSync(join(tmpdir(), 'fogline-streets-'));
});
after(async () => {
  await browser?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A file with an archive in it. */
function file(name, bytes) {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Until everything that the map asks for has come and is drawn. */
const settled = (page) => page.waitForFunction(() => document.documentElement.dataset.settled === 'true', null, { timeout: patience });

/** The colours of the map at shares of the box, as [red, green, blue]: of a picture of the page, read by the browser. */
async function colours(page, places) {
  const box = await page.locator('.map').boundingBox();
  const png = await page.screenshot();
  const reader = await browser.context.newPage();
  const seen = await reader.evaluate(async ({ data, points }) => {
    const image = await createImageBitmap(await (await fetch(data)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return points.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)]);
  }, { data: `data:image/png;base64,${png.toString('base64')}`, points: places.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height].map(Math.round)) });
  await reader.close();
  return seen;
}

/** The page over a base map, where the tile of the town is the 512 points in the middle. */
async function over(basemap, { media, args = [] } = {}, look) {
  const server = await Server.start('--basemap', basemap, ...args);
  let page;
  try {
    page = await browser.context.newPage();
    page.problems = [];
    page.on('console', (message) => { if (message.type() === 'error') page.problems.push(message.text()); });
    page.foreign = [];
    page.on('request', (request) => { if (!request.url().startsWith(server.url) && !/^(data|blob):/.test(request.url())) page.foreign.push(request); });
    if (media) await page.emulateMedia(media);
    const n = 2 ** 14;
    const tileX = Math.floor(((town.lon + 180) / 360) * n);
    const rad = (town.lat * Math.PI) / 180;
    const tileY = Math.floor(((1 - Math.asinh(Math.tan(rad)) / Math.PI) / 2) * n);
    const lon = ((tileX + 0.5) / n) * 360 - 180;
    const lat = (Math.atan(Math.sinh(Math.PI * (1 - (2 * (tileY + 0.5)) / n))) * 180) / Math.PI;
    await page.goto(`${server.url}/?lat=${lat}&lon=${lon}&z=14`);
    await page.waitForFunction(() => document.documentElement.dataset.ready === 'true', null, { timeout: patience });
    // Of the town's tile a share, in pixels from the middle of the map.
    const box = await page.locator('.map').boundingBox();
    page.at = (x, y) => [0.5 + ((x - 0.5) * 512) / box.width, 0.5 + ((y - 0.5) * 512) / box.height];
    await look(page, server);
  } finally {
    await page?.close();
    await server.stop();
  }
}

const bright = ([r, g, b]) => r + g + b;
const apart = (a, b) => Math.max(...a.map((v, i) => Math.abs(v - b[i])));

describe('streets', () => {
  for (const schema of ['openmaptiles', 'protomaps']) {
    for (const colorScheme of ['light', 'dark']) {
      it(`of ${schema}, ${colorScheme}: water, woods, parks, buildings, roads by class`, () => over(
        file(`${schema}.pmtiles`, townArchive(schema, { attribution: '<a href="https://x.invalid">© Map</a> makers' })),
        { media: { colorScheme } },
        async (page) => {
          await page.getByText('© Map makers').waitFor();
          await settled(page);
          const [ground, lake, wood, park, building, motorway, main, lane] = await colours(page, [
            page.at(0.8, 0.9), page.at(0.2, 0.3), page.at(0.8, 0.3), page.at(0.12, 0.9), page.at(0.585, 0.6), page.at(0.1, 0.5),
            page.at(0.5, 0.1), page.at(0.9, 0.75)]);
          const all = { ground, lake, wood, park, building, motorway, main, lane };
          for (const [a, one] of Object.entries(all)) {
            for (const [b, other] of Object.entries(all)) {
              if (a < b) assert.ok(apart(one, other) >= 3, `${a} ${one} and ${b} ${other} look the same`);
            }
          }
          assert.ok(lake[2] > lake[0], `water is blue: ${lake}`);
          assert.equal(bright(ground) > 380, colorScheme === 'light');
          assert.deepEqual(page.foreign.map((request) => request.url()), []);
          assert.deepEqual(page.problems, []);
        },
      ));
    }
  }

  it('have their names, which the browser writes', async () => {
    const pictures = [];
    for (const schema of ['openmaptiles', 'protomaps']) {
      await over(file(`${schema}.pmtiles`, townArchive(schema)), {}, async (page) => {
        await settled(page);
        const box = await page.locator('.map').boundingBox();
        // Where the main street's name runs along it something is darker than any road.
        const along = [];
        for (let y = 0.02; y < 0.98; y += 1 / 512) along.push(page.at(0.5, y), page.at(0.5 + 3 / 512, y));
        const inked = (await colours(page, along)).filter((c) => bright(c) < 450).length;
        pictures.push(inked);
        assert.ok(box.width > 600);
      });
    }
    assert.ok(pictures.every((inked) => inked > 20), String(pictures));
  });

  it('keep to the light or dark that is chosen while the page is open', () => over(file('turn.pmtiles', townArchive('protomaps')), {}, async (page) => {
    await settled(page);
    const [day] = await colours(page, [page.at(0.2, 0.3)]);
    await page.getByRole('button', { name: 'Switch to dark colours' }).click();
    await settled(page);
    const [night] = await colours(page, [page.at(0.2, 0.3)]);
    await page.getByRole('button', { name: 'Switch to light colours' }).click();
    await settled(page);
    const [again] = await colours(page, [page.at(0.2, 0.3)]);
    assert.ok(bright(day) > bright(night) + 200, `${day} ${night}`);
    assert.deepEqual(again, day);
    assert.deepEqual(page.problems, []);
  }));

  it('may be an archive on another server, which alone is asked, and told no more than who asks', async () => {
    const archive = townArchive('protomaps', { attribution: '© Elsewhere' });
    const asked = [];
    const elsewhere = createServer((request, response) => {
      asked.push(request.headers.referer);
      response.setHeader('Access-Control-Allow-Origin', '*');
      const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
      const [from, to] = range ? [Number(range[1]), Number(range[2])] : [0, archive.length - 1];
      response.writeHead(206, { 'Content-Range': `bytes ${from}-${Math.min(to, archive.length - 1)}/${archive.length}` });
      response.end(archive.subarray(from, to + 1));
    });
    await new Promise((resolve) => { elsewhere.listen(0, '127.0.0.1', resolve); });
    try {
      const origin = `http://127.0.0.1:${elsewhere.address().port}`;
      await over(`${origin}/town.pmtiles`, {}, async (page, server) => {
        await page.getByText('© Elsewhere').waitFor();
        await settled(page);
        const [lake, ground] = await colours(page, [page.at(0.2, 0.3), page.at(0.8, 0.9)]);
        assert.ok(apart(lake, ground) > 10);
        assert.ok(page.foreign.length > 0 && page.foreign.every((request) => request.url().startsWith(`${origin}/`)));
        assert.ok(asked.every((referer) => referer === `${server.url}/`), String(asked)); // no place, no filter
        assert.deepEqual(page.problems, []);
      });
    } finally {
      elsewhere.closeAllConnections();
      elsewhere.close();
    }
  });

  it('may be vector tiles by address, of either layout', async () => {
    for (const schema of ['openmaptiles', 'protomaps']) {
      const tiles = createServer((request, response) => {
        const [z, x, y] = request.url.match(/\d+/g).map(Number);
        const bytes = townTile(schema, z, x, y);
        response.writeHead(bytes ? 200 : 204, { 'Access-Control-Allow-Origin': '*', 'Content-Encoding': 'gzip' });
        response.end(bytes ?? undefined);
      });
      await new Promise((resolve) => { tiles.listen(0, '127.0.0.1', resolve); });
      try {
        await over(`http://127.0.0.1:${tiles.address().port}/{z}/{x}/{y}.pbf`, { args: ['--attribution', '© Tiles'] }, async (page) => {
          await page.getByText('© Tiles').waitFor();
          await settled(page);
          const [lake, ground, main] = await colours(page, [page.at(0.2, 0.3), page.at(0.8, 0.9), page.at(0.5, 0.1)]);
          assert.ok(apart(lake, ground) > 10 && apart(main, ground) > 5, `${lake} ${ground} ${main}`);
          assert.deepEqual(page.problems, []);
        });
      } finally {
        tiles.closeAllConnections();
        tiles.close();
      }
    }
  });

  it('that do not answer are missed with a word, and the detections are there', async () => {
    const gone = createServer(() => {});
    await new Promise((resolve) => { gone.listen(0, '127.0.0.1', resolve); });
    const { port } = gone.address();
    await new Promise((resolve) => { gone.close(resolve); });
    await over(`http://127.0.0.1:${port}/{z}/{x}/{y}.png`, { args: ['--attribution', '© Nobody'] }, async (page, server) => {
      await page.getByText('The streets do not answer now').waitFor();
      await server.put({ lat: town.lat, lon: town.lon });
      await page.waitForFunction(() => document.documentElement.dataset.shown === '1', null, { timeout: patience });
      await page.getByText('© Nobody').waitFor();
    });
  });

  it('of a layout that nobody knows are refused with a word', async () => {
    const strange = townArchive('protomaps');
    const at = strange.readBigUInt64LE(24); // the metadata
    const length = strange.readBigUInt64LE(32);
    const { gunzipSync, gzipSync } = await import('node:zlib');
    const about = JSON.parse(gunzipSync(strange.subarray(Number(at), Number(at + length))));
    about.vector_layers = [{ id: 'cables' }, { id: 'pipes' }];
    const metadata = gzipSync(Buffer.from(JSON.stringify(about)));
    // At the end of the file, where there is room for it.
    const moved = Buffer.concat([strange, metadata]);
    moved.writeBigUInt64LE(BigInt(strange.length), 24);
    moved.writeBigUInt64LE(BigInt(metadata.length), 32);
    await over(file('strange.pmtiles', moved), {}, async (page) => {
      await page.getByText(/cables, pipes .* neither OpenMapTiles' nor Protomaps'/).waitFor();
    });
  });

  const real = join(process.env.FOGLINE_SHARED_DATA ?? '', 'maps/town_openmaptiles.pmtiles');
  it('of a real town', { skip: !existsSync(real) && 'there is no real town in $FOGLINE_SHARED_DATA' }, async () => {
    const server = await Server.start('--basemap', real);
    try {
      await server.say('walk bike-1 60 53.597 9.726 3');
      const page = await browser.page(`${server.url}/?lat=53.5968&lon=9.7255&z=15`);
      await settled(page);
      await page.getByText(/OpenStreetMap/).waitFor();
      const grid = [];
      for (let x = 0.05; x < 1; x += 0.05) for (let y = 0.05; y < 0.85; y += 0.05) grid.push([x, y]);
      const seen = new Set((await colours(page, grid)).map(String));
      assert.ok(seen.size >= 8, `only ${seen.size} colours: ${[...seen].join(' ')}`);
      assert.deepEqual(page.problems, []);
      await page.close();
    } finally {
      await server.stop();
    }
  });
});

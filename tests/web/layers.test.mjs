// What hexagons say, the warmth of all of it, and the way to a place: by coordinates always, by name where the streets have names.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Browser, patience, Server, shown } from './harness.mjs';
import { town, townArchive } from './streets_writer.mjs';

let browser;
let folder;
before(async () => {
  browser = await Browser.start();
  folder = mkdtempSync(join(tmpdir(), 'fogline-names-'));
});
after(async () => {
  await browser?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const at = (...what) => browser.at(...what);
const settled = (page) => page.waitForFunction(() => document.documentElement.dataset.settled === 'true', null, { timeout: patience });
/** The colour in the middle of the map. */
async function middle(page) {
  await settled(page);
  const box = await page.locator('.map').boundingBox();
  const png = await page.screenshot({ clip: { x: Math.round(box.x + box.width / 2), y: Math.round(box.y + box.height / 2), width: 1, height: 1 } });
  return png.toString('base64');
}
const location = (page) => page.evaluate(() => Object.fromEntries(new URLSearchParams(window.location.search)));
/** Until the map is there, within a tile of the town. */
const goneTo = (page, { lat, lon }) => page.waitForFunction(([y, x]) => {
  const query = new URLSearchParams(window.location.search);
  return Math.abs(Number(query.get('lat')) - y) < 0.02 && Math.abs(Number(query.get('lon')) - x) < 0.02;
}, [lat, lon], { timeout: patience });

describe('what the map shows', () => {
  it('is counts, a share or warmth, each with its legend and in the address', () => at('/?lat=47&lon=8&z=7', {
    // Sixty in one place: more than are drawn one by one, and half of them worth a report.
    fill: async (server) => { for (let i = 0; i < 60; i += 1) await server.put({ lat: 47, lon: 8, positive: i % 2 === 0 }); },
  }, async (page) => {
    await shown(page, 60);
    const legend = () => page.locator('.legend').innerText();
    assert.match(await legend(), /in a hexagon/);
    const counts = await middle(page);
    const choice = page.getByLabel('What the map shows');
    await choice.selectOption('Share of pictures');
    assert.match(await legend(), /share of pictures[\s\S]*from 50 %/);
    assert.equal((await location(page)).layer, 'share');
    const share = await middle(page);
    await choice.selectOption('Heat');
    assert.match(await legend(), /most/);
    const heat = await middle(page);
    assert.equal(new Set([counts, share, heat]).size, 3, 'they look the same');
    await page.reload(); // and from the address
    await shown(page, 60);
    assert.equal(await page.getByLabel('What the map shows').inputValue(), 'heat');
    assert.equal(await middle(page), heat);
  }));
});

describe('a map in the frame of another page', () => {
  it('is the map alone, where the operator named that page, and the whole is a click away', async () => {
    const { createServer } = await import('node:http');
    let inner;
    const city = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`<!doctype html><title>City</title><iframe src="${inner}" width="640" height="400"></iframe>`);
    });
    await new Promise((resolve) => { city.listen(0, '127.0.0.1', resolve); });
    const origin = `http://127.0.0.1:${city.address().port}`;
    try {
      for (const [allowed, args] of [[true, ['--embed', origin]], [false, []]]) {
        const server = await Server.start(...args);
        await server.say('walk bike 5 47 8 2');
        inner = `${server.url}/?embed=1&lat=47&lon=8&z=13`;
        const page = await browser.context.newPage();
        await page.goto(origin);
        const frame = page.frameLocator('iframe');
        if (allowed) {
          await frame.locator('.map canvas').waitFor();
          assert.equal(await frame.locator('.side').isVisible(), false);
          const whole = await frame.getByRole('link', { name: 'Open the map' }).getAttribute('href');
          assert.match(whole, /lat=47/);
          assert.doesNotMatch(whole, /embed/);
        } else {
          await page.waitForFunction(() => document.readyState === 'complete');
          assert.equal(await frame.locator('.map').count(), 0);
        }
        await page.close();
        await server.stop();
      }
    } finally {
      city.closeAllConnections();
      city.close();
    }
  });
});

describe('the way to a place', () => {
  it('is by coordinates, without streets too', () => at('/?lat=0&lon=0&z=3', {}, async (page) => {
    const box = page.getByRole('searchbox');
    await box.fill('Nowhere Street');
    await page.getByText('This map has no names: write coordinates').waitFor();
    await box.fill('33.45 S, 70.65 W');
    await page.getByRole('button', { name: /33\.45000° S/ }).waitFor();
    await box.press('Enter');
    await goneTo(page, { lat: -33.45, lon: -70.65 });
  }));

  for (const schema of ['openmaptiles', 'protomaps']) {
    it(`is by the names of ${schema}, with keys alone`, () => {
      const file = join(folder, `${schema}.pmtiles`);
      writeFileSync(file, townArchive(schema));
      return at('/?lat=20&lon=20&z=3', { args: ['--basemap', file] }, async (page) => {
        await settled(page);
        const box = page.getByRole('searchbox');
        await box.fill('baker');
        await page.getByRole('button', { name: /^Baker Lane/ }).waitFor();
        await box.press('ArrowDown');
        await page.keyboard.press('Enter');
        await goneTo(page, town);
        await box.fill('fog');
        await page.getByRole('button', { name: 'Fogham place' }).waitFor();
        await box.fill('zzzz');
        await page.getByText('Nothing around here has that name.').waitFor();
        await box.press('Escape');
        await page.locator('.hits').waitFor({ state: 'hidden' });
      });
    });
  }
});

// The map in a real browser: what is stored appears, live, once, and as text.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Browser, patience, shown } from './harness.mjs';

let browser;
before(async () => { browser = await Browser.start(); });
after(() => browser?.stop());

const at = (...what) => browser.at(...what);

const text = (page, selector) => page.locator(selector).first().innerText();

describe('the map', () => {
  it('says so when the store is empty', () => at('/', {}, async (page) => {
    await shown(page, 0);
    assert.match(await text(page, '.latest'), /Nothing here yet/);
    assert.equal(await text(page, '.status'), 'Live');
  }));

  it('shows detections as they are stored, without a reload', () => at('/?lat=47.37&lon=8.54&z=13', {}, async (page, server) => {
    await shown(page, 0);
    await server.put({ device: 'bike-7', label: 'bottle', score: 0.93, lat: 47.37, lon: 8.54 });
    await shown(page, 1);
    assert.match(await text(page, '.item'), /bottle\s*93 %/);
    assert.match(await text(page, '.item'), /bike-7 · split/);
    await server.say('walk bike-8 40 47.37 8.54 5');
    await shown(page, 41);
  }));

  it('opens where the newest detections are, and shows one in full on a click', () => at('/', {
    fill: (server) => server.say('walk bike-1 30 -33.44 -70.65 2'),
  }, async (page) => {
    await shown(page, 30);
    await page.locator('.item').first().click();
    const card = page.locator('.card');
    await card.waitFor();
    assert.match(await card.innerText(), /bike-1/);
    assert.match(await card.innerText(), /33\.\d+° S, 70\.\d+° W/);
    assert.match(await card.innerText(), /Network/);
    assert.match(page.url(), /id=30/);
    await page.keyboard.press('Escape');
    await card.waitFor({ state: 'hidden' });
  }));

  it('shows one point, at the poles and on the 180th meridian too', () => at('/?lat=0&lon=180&z=0.5', {
    fill: async (server) => {
      for (const [lat, lon] of [[90, 0], [-90, 12], [5, 180], [5, -180]]) await server.put({ lat, lon });
    },
  }, (page) => shown(page, 4)));

  it('shows hostile strings as text', async () => {
    const evil = '<img src=x onerror="window.hacked=1">"\'&amp;';
    await at('/?lat=1&lon=1&z=12', {
      fill: (server) => server.put({ device: `dev${evil}`, label: `label${evil}`, mechanism: `mech${evil}`, lat: 1, lon: 1 }),
    }, async (page) => {
      await shown(page, 1);
      await page.locator('.item').first().click();
      assert.ok((await text(page, '.card h2')).includes(`label${evil}`));
      assert.ok((await text(page, '.card dl')).includes(`dev${evil}`));
      assert.equal(await page.locator('.chip', { hasText: `mech${evil}` }).count(), 1);
      assert.equal(await page.evaluate(() => window.hacked), undefined);
      assert.equal(await page.locator('img').count(), 0);
    });
  });

  it('says how a time is known, and invents none', () => at('/?lat=1&lon=1&z=12', {
    fill: async (server) => {
      await server.put({ lat: 1, lon: 1, captured_from: 'assumed' });
      await server.put({ lat: 1, lon: 1, captured_from: 'none' });
    },
  }, async (page) => {
    await shown(page, 2);
    assert.match(await text(page, '.item'), /time unknown/);
    assert.match(await text(page, '.said'), /· 1 pictures · 1 without a time$/);
    await page.locator('.item').first().click();
    assert.match(await text(page, '.card'), /Taken\s*time unknown/);
    await page.locator('.item').nth(1).click();
    assert.match(await text(page, '.card'), /camera's clock, its zone assumed/);
    await page.getByRole('slider', { name: 'Shown from' }).focus();
    await page.keyboard.press('ArrowRight');
    await shown(page, 1); // what has no time is not of any time
    await page.getByText('1 without a time left out').waitFor();
  }));

  it('takes down what was forgotten when it comes back to it', () => at('/?lat=10&lon=10&z=11', {
    fill: (server) => server.say('walk cam-1 5 10 10 1'),
  }, async (page, server) => {
    await shown(page, 5);
    await server.say('restart'); // every stream ends
    await server.say('walk cam-2 20 10 10 2');
    await server.say('forget 10');
    await shown(page, 10);
    page.problems = page.problems.filter((problem) => !/ERR_|Failed to load/.test(problem));
  }));

  it('says how much of a large store it shows while that is being read', () => at('/?lat=20&lon=0&z=1', {
    fill: async (server) => {
      await server.say('many 2000 3');
      await server.say('counted 500');
    },
  }, async (page, server) => {
    await shown(page, 500);
    await page.getByText('Reading the store: 25 % counted so far').waitFor();
    assert.match(await text(page, '.said'), /· 500 pictures/);
    await server.say('counted 0');
    await shown(page, 2000);
    await page.getByText('Reading the store').waitFor({ state: 'hidden' });
    await page.waitForFunction(() => /· 2,000 pictures/.test(document.querySelector('.said').innerText));
  }));

  it('counts a hundred thousand into hexagons, and goes on counting live', () => at('/?lat=20&lon=0&z=1', {
    fill: (server) => server.say('many 100000 3'),
  }, async (page, server) => {
    await shown(page, 100_000);
    assert.match(await text(page, '.legend'), /Litter in a hexagon/);
    await server.say('walk cam-live 25 47 8 1');
    await shown(page, 100_025);
    await page.reload(); // and the server counts the same
    await shown(page, 100_025);
  }));

  it('resumes a stream that was cut off without a hole or a double', () => at('/?lat=10&lon=10&z=11', {
    fill: (server) => server.say('walk cam-1 5 10 10 1'),
  }, async (page, server) => {
    await shown(page, 5);
    await server.say('walk cam-2 5 10 10 2');
    await shown(page, 10);
    await server.say('restart'); // every stream ends
    await server.say('walk cam-3 7 10 10 3'); // stored while the page is cut off
    await shown(page, 17);
    await page.waitForFunction(() => document.querySelector('.status').dataset.state === 'live', null, { timeout: patience });
    await server.say('walk cam-4 3 10 10 4');
    await shown(page, 20);
    assert.equal(await page.locator('.item').count(), 20);
    // The browser's complaint about the lost connection is expected here.
    page.problems = page.problems.filter((problem) => !/ERR_|Failed to load/.test(problem));
  }));
});

// What a map says when there is nothing to show, when the server is gone, when things lie on each other, and on a phone.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Browser, patience, shown } from './harness.mjs';

let browser;
before(async () => { browser = await Browser.start(); });
after(() => browser?.stop());

const at = (...what) => browser.at(...what);
const cardNumber = (page) => new URL(page.url()).searchParams.get('id');

describe('a map without anything in view', () => {
  it('says that others are stored, and shows them all', () => at('/?lat=0&lon=0&z=9', {
    fill: (server) => server.say('walk bike 30 -33.44 -70.65 2'),
  }, async (page) => {
    await shown(page, 0);
    await page.getByText('None of the 30 pictures is in view.').waitFor();
    await page.locator('.nowhere').getByRole('button', { name: 'Show all' }).click();
    await shown(page, 30);
    await page.locator('.nowhere').waitFor({ state: 'hidden' });
    assert.ok(Number(new URL(page.url()).searchParams.get('z')) > 11);
  }));

  it('tells what filters hide from what is not there', () => at('/?lat=47&lon=8&z=12', {
    fill: (server) => server.say('walk bike 5 47 8 2'),
  }, async (page) => {
    await shown(page, 5);
    await page.goto(page.url().replace('/?', '/?device=nobody&'));
    await page.getByText('Nothing passes these filters.').waitFor();
    await page.getByText('Nothing in view passes the filters.').waitFor();
    await page.locator('.latest').getByRole('button', { name: 'Clear them' }).click();
    await shown(page, 5);
    assert.equal(await page.locator('.item').count(), 5);
  }));

  it('says that pictures have no place', () => at('/', {
    fill: async (server) => { await server.put({ label: 'can' }); },
  }, async (page) => {
    await page.getByText('None of the 1 pictures is in view.').waitFor();
    await page.locator('.nowhere').getByRole('button', { name: 'Show all' }).click();
    await page.getByText('No picture that passes the filters has a place.').waitFor();
  }));

  it('goes where the first detection is, unless somebody has moved it', () => at('/', {}, async (page, server) => {
    await shown(page, 0);
    await server.put({ lat: -12.05, lon: -77.04 });
    await shown(page, 1);
    await page.waitForFunction(() => Math.abs(Number(new URLSearchParams(location.search).get('lat')) + 12.05) < 0.01, null, { timeout: patience });
  }));
});

describe('a map', () => {
  it('pages through what lies at one place, and goes back', () => at('/?lat=47&lon=8&z=16', {
    fill: async (server) => {
      for (const device of ['a', 'b', 'c']) await server.put({ device, lat: 47, lon: 8 });
    },
  }, async (page) => {
    await shown(page, 3);
    await page.waitForFunction(() => document.documentElement.dataset.settled === 'true', null, { timeout: patience });
    const box = await page.locator('.map').boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.locator('.tip', { hasText: '3 pictures here' }).waitFor();
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await page.getByText('1 of 3 here').waitFor();
    const seen = new Set([cardNumber(page)]);
    for (let i = 2; i <= 3; i += 1) {
      await page.getByRole('button', { name: 'The next at this place' }).click();
      await page.getByText(`${i} of 3 here`).waitFor();
      seen.add(cardNumber(page));
    }
    assert.equal(seen.size, 3);
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'The next at this place');
    await page.goBack();
    await page.waitForFunction(() => !location.search.includes('id='), null, { timeout: patience });
  }));

  it('says that the server does not answer, and is itself again when it does', () => at('/?lat=47&lon=8&z=13', {
    fill: (server) => server.say('walk bike 5 47 8 2'),
  }, async (page, server) => {
    await shown(page, 5);
    await page.route('**/api/hexagons*', (route) => route.abort());
    await page.locator('.chip', { hasText: /^bike$/ }).click();
    await page.getByText('The server does not answer. What is shown may be old.').waitFor();
    await page.unroute('**/api/hexagons*');
    await server.say('restart');
    await page.locator('.notice[role=alert]').waitFor({ state: 'hidden' });
    page.problems = page.problems.filter((problem) => !/ERR_|Failed to load/.test(problem));
  }));

  it('has downloads of what is shown from the start', () => at('/?lat=47&lon=8&z=13', {
    fill: (server) => server.say('walk bike 5 47 8 2'),
  }, async (page) => {
    await shown(page, 5);
    const address = await page.getByRole('link', { name: 'GeoJSON' }).evaluate((a) => a.href);
    assert.equal((await (await fetch(address)).json()).features.length, 5);
  }));
});

describe('many devices', () => {
  it('are in order, searched by letters, and those that are chosen stay in front', () => at('/?lat=47&lon=8&z=12', {
    fill: async (server) => { for (let i = 80; i > 0; i -= 1) await server.put({ device: `bike-${i}`, lat: 47, lon: 8 }); },
  }, async (page) => {
    await shown(page, 80);
    const chips = () => page.getByRole('group', { name: 'Device' }).getByRole('button').allInnerTexts();
    const all = await chips();
    assert.deepEqual(all.slice(0, 3), ['bike-1', 'bike-2', 'bike-3']);
    assert.equal(all.length, 60);
    await page.getByText('20 more: search').waitFor();
    await page.getByLabel('Find a device').pressSequentially('7');
    assert.deepEqual((await chips()).slice(0, 3), ['bike-7', 'bike-17', 'bike-27']);
    await page.getByLabel('Find a device').pressSequentially('9'); // the keyboard's place is kept
    await page.getByRole('group', { name: 'Device' }).getByRole('button', { name: 'bike-79' }).click();
    await shown(page, 1);
    await page.getByLabel('Find a device').fill('');
    assert.equal((await chips())[0], 'bike-79');
  }));
});

describe('a phone', () => {
  const options = { size: { width: 390, height: 844 } };
  it('folds the legend, and shows the card of what is far down the list', () => at('/?lat=47&lon=8&z=12', {
    fill: (server) => server.say('walk bike 40 47 8 2'), options,
  }, async (page) => {
    await shown(page, 40);
    assert.equal(await page.locator('.legend').evaluate((e) => e.open), false);
    await page.locator('.item').nth(30).click();
    const card = page.locator('.card').first();
    await card.waitFor();
    const box = await card.boundingBox();
    assert.ok(box.y >= 200 && box.y + box.height <= 845, JSON.stringify(box));
    for (const button of await page.locator('.card button:visible, .tools button:visible').all()) {
      const size = await button.boundingBox();
      assert.ok(size.height >= 40, await button.innerText());
    }
  }));
});

// What networks found, on the map's card and the fleet's page: boxes where they belong on the picture, lists in words, and what
// devices say of their own frames.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Browser, Server, axeSource, shown } from './harness.mjs';

const jpeg = [...readFileSync(join(process.env.FOGLINE_SOURCE_DIR, 'models/demo/walk_05.jpg'))];
const cans = [
  { label: 'can', score: 0.91, x: 0.5, y: 0.25, w: 0.25, h: 0.5 },
  { label: 'can', score: 0.55, x: 0.875, y: 0.75, w: 0.5, h: 0.5 },
  { label: 'bicycle', score: 0.75, x: 0, y: 0, w: 0.25, h: 0.25 },
];

let browser;
let server;
before(async () => {
  browser = await Browser.start();
  server = await Server.start('--thumbnails');
  const at = { lat: 47.37, lon: 8.54 };
  await server.put({ ...at, device: 'boxes', label: 'can', score: 0.91, thumbnail: jpeg, findings: { boxes: cans, boxes_cut_off: 3 } });
  await server.put({ ...at, device: 'none', label: 'output', score: 0, thumbnail: jpeg, findings: { boxes: [] } });
  await server.put({ ...at, device: 'mask', label: 'road', score: 0.625, thumbnail: jpeg,
    findings: { shares: [{ label: 'sky', share: 0.25 }, { label: 'road', share: 0.625 }, { label: 'background', share: 0.125 }],
      mask: { width: 4, height: 2, runs: [0, 2, 2, 1, 1, 5] } } });
  await server.put({ ...at, device: 'numbers', label: 'output', findings: { numbers: [{ name: 'level', value: -0.5, unit: 'm' }, ...Array.from({ length: 30 }, (_, i) => ({ name: `n${i}`, value: i }))] } });
  await server.put({ ...at, device: 'raw', label: 'output', findings: { raw: [{ name: 'output0', shape: [1, 84, 8400] }] } });
  await server.put({ ...at, device: 'class', label: 'clean', counts: { waiting: 12, dead: 2, dropped: 0 } });
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

/** The card of a device's one detection. */
async function cardOf(page, device) {
  await page.locator('.item', { hasText: device }).first().click();
  const card = page.locator('.card');
  await card.filter({ hasText: device }).waitFor();
  return card;
}

async function faults(page) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')}`);
}

describe('the card of a detection', () => {
  it('has each box where it lies on the picture, at a desk and on a phone', async () => {
    const page = await browser.page(server.url);
    try {
      await shown(page, 6);
      for (const size of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
        await page.setViewportSize(size);
        await page.keyboard.press('Escape'); // on a phone an open card lies over the list
        const card = await cardOf(page, 'boxes');
        await page.waitForFunction(() => document.querySelector('.card img')?.naturalWidth > 0);
        const places = await card.evaluate((panel) => {
          const picture = panel.querySelector('img').getBoundingClientRect();
          return [...panel.querySelectorAll('.found .edge')].map((rect) => {
            const box = rect.getBoundingClientRect();
            return [(box.left - picture.left) / picture.width, (box.top - picture.top) / picture.height, box.width / picture.width, box.height / picture.height];
          });
        });
        assert.equal(places.length, 3);
        // The surest is drawn last; what reaches beyond the picture ends with it.
        const wanted = [[0, 0, 0.25, 0.25], [0.875, 0.75, 0.125, 0.25], [0.5, 0.25, 0.25, 0.5]];
        places.forEach((place, i) => place.forEach((part, k) => assert.ok(Math.abs(part - wanted[i][k]) < 0.02, `${i}: ${place}`)));
        assert.equal(await card.locator('.found.beside').count(), 1);
        assert.match(await card.locator('img').getAttribute('alt'), /can × 2, bicycle/);
        assert.match(await card.innerText(), /can × 2\s*91 %\s*bicycle\s*75 %\s*3 less sure ones were left out/);
      }
      assert.deepEqual(page.problems, []);
    } finally {
      await page.close();
    }
  });

  it('tints what a mask says, and leaves the background as it is', async () => {
    const page = await browser.page(server.url);
    try {
      await shown(page, 6);
      const card = await cardOf(page, 'mask');
      const stripes = await card.evaluate((panel) => [...panel.querySelectorAll('.mask rect')].map((rect) => {
        const picture = panel.querySelector('img').getBoundingClientRect();
        const at = rect.getBoundingClientRect();
        return [at.left - picture.left, at.top - picture.top, at.width, at.height].map((n, i) => n / [picture.width, picture.height][i % 2]);
      }));
      for (const [i, expected] of [[0, 0, 0.5, 0.5], [0.75, 0, 0.25, 0.5], [0, 0.5, 1, 0.5]].entries()) {
        expected.forEach((part, k) => assert.ok(Math.abs(stripes[i][k] - part) < 0.01, `${stripes[i]} instead of ${expected}`));
      }
      assert.equal(stripes.length, 3);
      assert.deepEqual(page.problems, []);
    } finally {
      await page.close();
    }
  });

  it('says the other kinds in words, and nothing of a class alone', async () => {
    const page = await browser.page(server.url, { media: { colorScheme: 'dark' } });
    try {
      await shown(page, 6);
      for (const [device, words] of [
        ['none', /Found\s*Nothing\./],
        ['mask', /Of the picture\s*road\s*63 %\s*sky\s*25 %/],
        ['numbers', /Found\s*level\s*-0\.5 m\s*n0\s*0[^]*n22\s*22\s*and 7 more/],
        ['raw', /Outputs that nobody reads\s*output0\s*1 × 84 × 8400/],
      ]) {
        assert.match(await (await cardOf(page, device)).innerText(), words);
        assert.deepEqual(await faults(page), [], device);
      }
      await cardOf(page, 'boxes');
      assert.deepEqual(await faults(page), []);
      const card = await cardOf(page, 'class');
      assert.equal(await card.locator('.found-list').count(), 0);
      assert.deepEqual(page.problems, []);
    } finally {
      await page.close();
    }
  });
});

describe('the filter by what was found', () => {
  const total = (page) => page.locator('.figures dd').first().innerText();
  it('counts, lists and draws those pictures alone, is in the address, and takes in what arrives', async () => {
    const other = await Server.start();
    const page = await browser.page(other.url);
    try {
      const box = (label) => ({ label, score: 0.8, x: 0.1, y: 0.1, w: 0.2, h: 0.2 });
      const put = (device, ...labels) => other.put({ lat: 47.37, lon: 8.54, device, label: labels[0], positive: labels.includes('can'), findings: { boxes: labels.map(box) } });
      await put('one', 'can');
      await put('two', 'can', 'can', 'bicycle');
      await put('three', 'bicycle');
      await put('four', 'a wheel of cheese');
      await shown(page, 4);
      const found = page.getByRole('group', { name: 'Found' });
      await page.waitForFunction(() => /can\s*2/.test(document.querySelector('[role=group][aria-label=Found]')?.innerText ?? ''));
      assert.match(await found.innerText(), /a wheel of cheese\s*1/);
      const colours = await found.locator('.class-dot').evaluateAll((dots) => dots.map((dot) => getComputedStyle(dot).backgroundColor));
      assert.equal(new Set(colours).size, 3);

      await found.getByRole('button', { name: 'can' }).click();
      await shown(page, 2);
      assert.deepEqual(await page.locator('.latest .how').allInnerTexts(), ['two · split', 'one · split']);
      await page.waitForFunction(() => /· 2 pictures/.test(document.querySelector('.said').innerText));
      await page.getByLabel('At least').fill('2');
      await page.getByLabel('At least').press('Tab');
      await shown(page, 1);
      await page.waitForFunction(() => /· 1 pictures/.test(document.querySelector('.said').innerText));
      const address = new URL(page.url());
      assert.deepEqual([address.searchParams.getAll('found'), address.searchParams.get('found_least')], [['can'], '2']);
      assert.match(await page.locator('.foot a').first().getAttribute('href'), /found=can&found_least=2/);

      // The stream is filtered as the server filters.
      await put('five', 'bicycle', 'bicycle');
      await put('six', 'can', 'can');
      await shown(page, 2);
      assert.match(await page.locator('.latest').innerText(), /six/);
      assert.doesNotMatch(await page.locator('.latest').innerText(), /five/);
      // Together with another filter.
      await page.getByRole('group', { name: 'Device' }).getByRole('button', { name: 'two' }).click();
      await shown(page, 1);

      const linked = await browser.page(page.url());
      await shown(linked, 1);
      assert.equal(await linked.getByRole('group', { name: 'Found' }).getByRole('button', { name: 'can' }).getAttribute('aria-pressed'), 'true');
      assert.equal(await linked.getByLabel('At least').inputValue(), '2');
      assert.deepEqual(await faults(linked), []);
      await linked.close();

      await page.getByRole('button', { name: 'Clear filters' }).click();
      await shown(page, 6);
      assert.equal(await total(page), '6');
      assert.deepEqual(page.problems, []);
    } finally {
      await page.close();
      await other.stop();
    }
  });

  it('is not there where networks find no boxes', async () => {
    const other = await Server.start();
    const page = await browser.page(other.url);
    try {
      await other.put({ lat: 47.37, lon: 8.54, label: 'litter' });
      await shown(page, 1);
      assert.equal(await page.getByRole('group', { name: 'Found' }).count(), 0);
      await page.locator('.filters').getByText('Litter only').waitFor();  // once the page has heard which labels there are
    } finally {
      await page.close();
      await other.stop();
    }
  });
});

describe('the words of a page', () => {
  it('are of no network where the labels that are worth a report are several', async () => {
    const page = await browser.page(server.url);
    try {
      await shown(page, 6);
      await page.waitForFunction(() => /Reported only/.test(document.querySelector('.filters').innerText));
      assert.match(await page.locator('.figures').innerText(), /Reported\s*6/);
      assert.match(await page.locator('.legend').innerText(), /Reported, by score/);
    } finally {
      await page.close();
    }
  });
});

describe('the fleet', () => {
  it('shows what waits on a device and what was refused for ever', async () => {
    const page = await browser.page(`${server.url}/fleet`);
    try {
      const row = page.locator('tr', { has: page.getByRole('link', { name: 'class' }) });
      await row.waitFor();
      assert.match(await row.innerText(), /12 waiting\s*2 dead letters/);
      assert.match(await page.locator('.figures').innerText(), /Dead letters\s*2/);
      assert.match(await page.locator('tr', { has: page.getByRole('link', { name: 'mask' }) }).innerText(), /—\s*$/);
      assert.deepEqual(page.problems, []);
    } finally {
      await page.close();
    }
  });
});

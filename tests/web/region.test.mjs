// A region that somebody draws: what is in it, before and after a day, as files, as a link, on paper.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { axeSource, Browser, patience, Server, shown } from './harness.mjs';

const t = 1_767_225_600_000;
let browser;
let server;
before(async () => {
  browser = await Browser.start();
  server = await Server.start();
  // A street of eleven places 100 m apart, of which the western six lie in the region; one more device stands there.
  for (let i = 0; i < 11; i += 1) {
    await server.put({ device: 'bike', label: i % 2 ? 'clean' : '=can', positive: i % 2 === 0, lat: 47, lon: 8 + i * 0.001318, captured: t + i * 60_000 });
  }
  await server.put({ device: 'post', label: 'bottle', lat: 47.0005, lon: 8.001, captured: t + 3_600_000 });
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

const view = 'lat=47&lon=8.0066&z=15';
const region = '7.999,46.998;8.00725,46.998;8.00725,47.002;7.999,47.002';
const panel = (page) => page.getByRole('region', { name: 'Region' });
const figures = async (page) => Object.fromEntries(await page.locator('.region-figures > div').evaluateAll((all) =>
  all.map((div) => [div.querySelector('dt').textContent, div.querySelector('dd').textContent])));
const inside = { Pictures: '7', Reported: '4', Walked: '0.50 km', 'Per km': '8.0' };

/** A page that must have reported no error. */
async function on(path, look, options = {}) {
  const page = await browser.page(`${server.url}${path}`, options);
  try {
    await look(page);
    assert.deepEqual(page.problems, []);
  } finally {
    await page.close();
  }
}

describe('a region', () => {
  it('is drawn corner by corner and counted', () => on(`/?${view}`, async (page) => {
    await shown(page, 12);
    await page.getByRole('button', { name: 'Draw region' }).click();
    const done = page.getByRole('button', { name: 'Done' });
    assert.equal(await done.isDisabled(), true);
    const box = await page.locator('.map').boundingBox();
    const corner = (x, y) => page.mouse.click(box.x + box.width * x, box.y + box.height * y);
    await corner(0.2, 0.3);
    await corner(0.2, 0.7);
    await corner(0.4, 0.99); // one too many
    await page.getByRole('button', { name: 'Undo corner' }).click();
    await corner(0.515, 0.7);
    await corner(0.515, 0.3);
    await corner(0.2, 0.3); // at the first again: closed
    await page.locator('.region-figures').waitFor();
    assert.deepEqual(await figures(page), inside);
    assert.match(await panel(page).innerText(), /Reported in 57 % \(25–84 %\) of the pictures/);
    assert.match(page.url(), /region=/);
    await page.getByRole('button', { name: 'Close the region' }).click();
    await panel(page).waitFor({ state: 'hidden' });
    assert.doesNotMatch(page.url(), /region=/);
  }));

  it('is given up with Escape, and without one clicks are clicks again', () => on(`/?${view}`, async (page) => {
    await shown(page, 12);
    await page.getByRole('button', { name: 'Draw region' }).click();
    await page.keyboard.press('Escape');
    await panel(page).waitFor({ state: 'hidden' });
    await page.locator('.item').first().click();
    await page.locator('.card', { hasText: 'bottle' }).waitFor();
  }));

  it('comes back from its link, keeps to the filters and to what arrives', () => on(`/?${view}&region=${region}`, async (page) => {
    await page.locator('.region-figures').waitFor();
    assert.deepEqual(await figures(page), inside);
    await page.locator('.chip', { hasText: /^post$/ }).click();
    await page.waitForFunction(() => document.querySelector('.region-figures dd')?.textContent === '1', null, { timeout: patience });
    await page.locator('.chip', { hasText: /^bike$/ }).click();
    await page.locator('.chip', { hasText: /^post$/ }).click();
    await page.waitForFunction(() => document.querySelector('.region-figures dd')?.textContent === '6', null, { timeout: patience });
    await page.locator('.chip', { hasText: /^bike$/ }).click();
    await page.waitForFunction(() => document.querySelector('.region-figures dd')?.textContent === '7', null, { timeout: patience });
    const { id } = await server.put({ device: 'late', label: 'can', lat: 46.999, lon: 8.003, captured: t });
    await page.waitForFunction(() => document.querySelector('.region-figures dd')?.textContent === '8', null, { timeout: patience });
    await server.put({ device: 'late', label: 'can', lat: 46.9, lon: 8.003, captured: t }); // beside it
    assert.ok(id > 0);
  }));

  it('is compared before and after, and that is in the link', () => on(`/?${view}&device=bike&region=${region}&split=${t + 150_000}`, async (page) => {
    const table = page.locator('.compared');
    await table.waitFor();
    assert.deepEqual(await table.locator('tbody tr').evaluateAll((rows) => rows.slice(0, 2).map((row) => [...row.cells].map((cell) => cell.textContent))),
      [['Pictures', '3', '3'], ['Reported', '2', '1']]);
    await panel(page).getByLabel('Compare before and after').fill('');
    await table.waitFor({ state: 'detached' });
    assert.doesNotMatch(page.url(), /split=/);
  }));

  it('is saved as GeoJSON and as CSV without formulas', () => on(`/?${view}&device=bike&region=${region}`, async (page) => {
    await page.locator('.region-figures').waitFor();
    const saved = async (name) => {
      const [download] = await Promise.all([page.waitForEvent('download'), panel(page).getByRole('button', { name }).click()]);
      const chunks = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    };
    assert.equal(JSON.parse(await saved('GeoJSON')).features.length, 6);
    const csv = await saved('CSV');
    assert.equal(csv.trim().split('\r\n').length, 7);
    assert.match(csv, /"'=can"/);
  }));

  it('is one page on paper', () => on(`/?${view}&device=bike&region=${region}&split=${t + 150_000}`, async (page) => {
    await page.locator('.region-figures').waitFor();
    await page.evaluate(() => { window.print = () => { document.documentElement.dataset.printed = 'true'; }; });
    await panel(page).getByRole('button', { name: 'Print report' }).click();
    await page.waitForFunction(() => document.documentElement.dataset.printed === 'true', null, { timeout: patience });
    const words = await page.locator('.report').evaluate((e) => e.textContent);
    for (const word of ['device bike', '0.50 km', '6', 'Natural Earth', 'region=']) assert.ok(words.includes(word), word);
    assert.ok(await page.locator('.report img').evaluate((image) => image.naturalWidth > 300));
    const pdf = (await page.pdf({ format: 'A4', preferCSSPageSize: true })).toString('latin1');
    assert.equal(pdf.match(/\/Type\s*\/Page\b/g).length, 1);
  }));

  it('shows its pictures, those worth a report first, where pictures may leave at all', async () => {
    const pictured = await Server.start('--thumbnails');
    const jpeg = [...readFileSync(join(process.env.FOGLINE_SOURCE_DIR, 'models/demo/walk_05.jpg'))];
    await pictured.put({ device: 'found', lat: 47, lon: 8.001, thumbnail: jpeg });
    await pictured.put({ device: 'blank', lat: 47, lon: 8.002, positive: false, thumbnail: jpeg });
    await pictured.put({ device: 'blind', lat: 47, lon: 8.002 });
    const page = await browser.page(`${pictured.url}/?${view}&region=${region}`);
    const strip = page.getByRole('group', { name: 'Pictures' });
    await strip.waitFor();
    assert.match(await strip.getByRole('button').first().getAttribute('aria-label'), /found/);
    assert.equal(await strip.getByRole('button').count(), 2);
    await strip.getByRole('button').nth(1).click();
    await page.locator('.card', { hasText: 'blank' }).waitFor();
    assert.deepEqual(page.problems, []);
    await page.close();
    await pictured.stop();
  });

  it('that holds nothing, or whose pictures cannot be had, says so', async () => {
    await on(`/?${view}&region=1,1;2,1;2,2`, async (page) => {
      await panel(page).getByText('No picture that passes the filters was taken here.').waitFor();
    });
    const page = await browser.context.newPage();
    await page.route('**/api/detections?*limit=10000*', (route) => route.fulfill({ status: 503, contentType: 'application/json', body: '{"error":"the store does not answer now"}' }));
    await page.goto(`${server.url}/?${view}&region=${region}`);
    await panel(page).getByRole('alert').getByText('the store does not answer now').waitFor();
    await page.close();
  });

  for (const media of [{ colorScheme: 'light' }, { colorScheme: 'dark' }]) {
    it(`is accessible in ${media.colorScheme}`, () => on(`/?${view}&region=${region}&split=${t + 150_000}`, async (page) => {
      await page.locator('.compared').waitFor();
      await page.evaluate(axeSource);
      const { violations } = await page.evaluate(() => window.axe.run());
      assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html)}`), []);
    }, { media }));
  }
});

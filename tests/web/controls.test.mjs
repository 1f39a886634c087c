// Every control of the map does what it says, and the address says what is shown.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Browser, patience, ready, Server, shown } from './harness.mjs';

let browser;
let server;
let page;
const place = 'lat=47.37&lon=8.54&z=13';
const query = () => new URL(page.url()).searchParams;
const text = (selector) => page.locator(selector).first().innerText();
/** Until the address says so: it changes together with what is asked for. */
const addressed = (name, value) => page.waitForFunction(
  ([key, wanted]) => new URLSearchParams(location.search).get(key) === wanted, [name, value], { timeout: patience });

before(async () => {
  browser = await Browser.start();
  server = await Server.start();
  const at = { lat: 47.37, lon: 8.54 };
  const t = 1_767_225_600_000;
  await server.put({ device: 'bike', label: 'bottle', score: 0.95, captured: t, ...at });
  await server.put({ device: 'bike', label: 'can', score: 0.6, captured: t + 60_000, ...at });
  await server.put({ device: 'bus', label: 'bottle', score: 0.7, mechanism: 'edge-only', captured: t + 120_000, ...at });
  await server.put({ device: 'bus', label: 'clean', score: 0.8, positive: false, mechanism: 'cloud-only', captured: t + 600_000, ...at });
  page = await browser.page(`${server.url}/?${place}`);
  await shown(page, 4);
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

const chip = (name) => page.locator('.chip', { hasText: new RegExp(`^${name}$`) });

describe('the controls', () => {
  it('show only what is worth a report', async () => {
    await page.getByRole('switch', { name: 'Reported only' }).click();
    await shown(page, 3);
    assert.equal(query().get('positive'), '1');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await shown(page, 4);
  });

  it('filter by label, device and mechanism, several at once, and by keyboard', async () => {
    await chip('bottle').click();
    await shown(page, 2);
    await chip('can').click();
    await shown(page, 3);
    await chip('bus').focus();
    await page.keyboard.press('Enter');
    await shown(page, 1);
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'bus'); // the place is kept
    assert.deepEqual(query().getAll('label'), ['bottle', 'can']);
    await chip('edge-only').click();
    await shown(page, 1);
    assert.equal(await page.locator('.item').count(), 1);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await shown(page, 4);
  });

  it('filter by score', async () => {
    const score = page.locator('#score');
    await score.focus();
    for (let i = 0; i < 15; i += 1) await page.keyboard.press('ArrowRight'); // 75 %
    await shown(page, 2);
    assert.equal(query().get('min_score'), '0.75');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await shown(page, 4);
  });

  it('filter by time with the sliders and with dates', async () => {
    const from = page.getByRole('slider', { name: 'Shown from' });
    await from.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('End');
    await shown(page, 1); // the newest only
    assert.match(await text('.said'), /· 1 pictures/);
    await page.getByRole('button', { name: 'All time' }).click();
    await shown(page, 4);
    assert.equal(query().get('from'), null);
    await page.getByLabel('To', { exact: true }).fill('2025-12-30T10:00');
    await shown(page, 0);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await shown(page, 4);
  });

  it('restore the whole view from the address', async () => {
    await chip('bottle').click();
    await page.getByRole('switch', { name: 'Reported only' }).click();
    await shown(page, 2);
    const other = await browser.page(page.url());
    await shown(other, 2);
    assert.equal(await other.locator('.chip[aria-pressed=true]').innerText(), 'bottle');
    assert.equal(await other.getByRole('switch', { name: 'Reported only' }).isChecked(), true);
    await other.close();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await shown(page, 4);
  });

  it('ignore nonsense in the address', async () => {
    const other = await browser.page(`${server.url}/?lat=999&lon=x&z=-3&min_score=7&from=soon&id=-1&positive=maybe&zzz=1`);
    await shown(other, 4);
    assert.deepEqual(other.problems, []);
    await other.close();
  });

  it('download what is shown as GeoJSON and CSV', async () => {
    await chip('bus').click();
    await shown(page, 2);
    const geo = await (await fetch(await page.getByRole('link', { name: 'GeoJSON' }).evaluate((a) => a.href))).json();
    assert.deepEqual(geo.features.map((f) => f.properties.device), ['bus', 'bus']);
    const csv = await (await fetch(await page.getByRole('link', { name: 'CSV' }).evaluate((a) => a.href))).text();
    assert.equal(csv.trim().split('\r\n').length, 3);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await shown(page, 4);
  });

  it('follow live detections', async () => {
    await page.getByRole('switch', { name: 'Follow live' }).click();
    await addressed('follow', '1');
    await server.put({ device: 'bike', label: 'bottle', score: 0.9, lat: -12.05, lon: -77.04 });
    await page.waitForFunction(() => Math.abs(Number(new URLSearchParams(location.search).get('lat')) + 12.05) < 0.01, null, { timeout: patience });
    await page.getByRole('switch', { name: 'Follow live' }).click();
    await addressed('follow', null);
  });

  it('colour by mechanism', async () => {
    await page.getByRole('switch', { name: 'by mechanism' }).click();
    await addressed('colour', 'mechanism');
    assert.match(await text('.legend'), /edge-only/);
    const other = await browser.page(page.url()); // and from the address
    await other.locator('.legend', { hasText: 'edge-only' }).waitFor();
    await other.close();
  });

  it('switch between light and dark, and remember it', async () => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const before = await ground();
    await page.getByRole('button', { name: /Switch to/ }).click();
    assert.notEqual(await ground(), before);
    const now = await ground();
    await page.reload();
    await ready(page);
    assert.equal(await ground(), now);
    assert.deepEqual(page.problems, []);
  });
});

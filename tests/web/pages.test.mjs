// What every page owes its readers: no accessibility fault that axe can find, nothing wider than the screen, no inline
// script let through, base maps and the fleet.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { axeSource, Browser, modelRead, patience, Server, shown } from './harness.mjs';
import { tinyArchive } from './pmtiles_writer.mjs';

let browser;
let server;
before(async () => {
  browser = await Browser.start();
  server = await Server.start('--models', join(process.env.FOGLINE_SOURCE_DIR, 'models'));
  await modelRead(server, 'litter');
  await server.say('walk cam-1 40 47.37 8.54 1');
  await server.say('walk cam-2 40 47.38 8.55 2');
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

const phone = { width: 390, height: 844 };

async function faults(page) {
  await page.evaluate(axeSource); // the devtools protocol runs it: the policy lets no script in
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')}`);
}

for (const path of ['/', '/fleet', '/plan']) {
  for (const colorScheme of ['light', 'dark']) {
    describe(`${path} in ${colorScheme}`, () => {
      it('has no fault that axe finds, and fits a desk and a phone', async () => {
        const page = await browser.page(server.url + path, { media: { colorScheme } });
        try {
          if (path === '/') {
            await shown(page, 80);
            await page.locator('.item').first().click();
          }
          assert.deepEqual(await faults(page), []);
          await page.setViewportSize(phone);
          assert.deepEqual(await faults(page), []);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(wide <= 0, `${wide} px too wide`);
          assert.deepEqual(page.problems, []);
        } finally {
          await page.close();
        }
      });
    });
  }
}

describe('the fleet', () => {
  it('shows each device and leads to its detections', async () => {
    const page = await browser.page(`${server.url}/fleet`);
    await page.getByRole('link', { name: 'cam-2' }).waitFor();
    assert.equal(await page.locator('.devices tbody tr').count(), 2);
    assert.match(await page.locator('.mechanisms').innerText(), /Without waits/);
    await server.say('walk cam-3 5 47.39 8.56 3');
    await page.getByRole('link', { name: 'cam-3' }).waitFor(); // without a reload
    await page.getByRole('link', { name: 'cam-3' }).click();
    await shown(page, 5);
    assert.deepEqual(page.problems, []);
    await page.close();
  });

  it('says how each device is, finds, filters and orders, and keeps focus and address', async () => {
    const fleet = await Server.start();
    let page;
    try {
      for (const name of ['cam-2', 'cam-10', 'bike']) await fleet.put({ device: name, mechanism: name === 'bike' ? 'edge-only' : 'split' });
      await fleet.put({ device: 'lossy', counts: { waiting: 1, dead: 2, dropped: 0 } });
      page = await browser.page(`${fleet.url}/fleet`);
      const names = () => page.locator('.devices tbody th a').allInnerTexts();
      await page.getByRole('link', { name: 'lossy' }).waitFor();
      assert.match(await page.getByRole('row', { name: /lossy/ }).innerText(), /failing\s*2 dead letters/);
      await page.getByRole('button', { name: 'Device', exact: true }).click();
      assert.deepEqual(await names(), ['bike', 'cam-2', 'cam-10', 'lossy']);
      assert.equal(await page.getByRole('columnheader', { name: 'Device', exact: true }).getAttribute('aria-sort'), 'ascending');
      await page.getByRole('button', { name: 'Device', exact: true }).click();
      assert.deepEqual(await names(), ['lossy', 'cam-10', 'cam-2', 'bike']);
      // A link keeps the focus when others' rows come and go, and while the table is drawn again and again.
      await page.getByRole('link', { name: 'cam-2' }).focus();
      await fleet.put({ device: 'dog', mechanism: 'split' });
      await page.getByRole('link', { name: 'dog' }).waitFor();
      await page.waitForResponse(/api\/fleet/);
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'cam-2');
      await page.getByRole('searchbox').fill('cam split');
      assert.deepEqual(await names(), ['cam-10', 'cam-2']);
      await page.getByRole('searchbox').fill('');
      await page.getByRole('button', { name: /^failing 1$/ }).click();
      assert.deepEqual(await names(), ['lossy']);
      await page.reload();
      await page.getByRole('link', { name: 'lossy' }).waitFor();
      assert.deepEqual(await names(), ['lossy']);
      assert.equal(new URL(page.url()).search, '?sort=device&turned=1&state=failing');
      await page.getByRole('button', { name: /^silent/ }).click();
      await page.getByRole('button', { name: /^failing/ }).click();
      await page.getByRole('button', { name: 'Show all' }).click();
      assert.equal((await names()).length, 5);
      assert.deepEqual(await faults(page), []);
      assert.deepEqual(page.problems, []);
    } finally {
      await page?.close();
      await fleet.stop();
    }
  });

  it('holds each device against the plan of the machines that the viewer names', async () => {
    const { hash } = await modelRead(server, 'litter');
    const { best } = await (await fetch(`${server.url}/api/plan?edge=jetson-nano&cloud=t2.micro&link=4g`)).json();
    await server.put({ device: 'planned', model: hash, cut: best.name, codec: best.codec });
    await server.put({ device: 'other', model: 'f'.repeat(64) });
    const page = await browser.page(`${server.url}/fleet`);
    await page.getByRole('link', { name: 'planned' }).waitFor();
    assert.equal(await page.getByText('Plan → measured').count(), 0);
    await page.locator('#by-edge').selectOption('jetson-nano');
    await page.getByText('Plan → measured').first().waitFor();
    await page.waitForFunction(() => location.search === '?edge=jetson-nano&cloud=t2.micro&link=4g');
    const asked = await (await fetch(`${server.url}/api/fleet?edge=jetson-nano&cloud=t2.micro&link=4g`)).json();
    const mine = asked.predictions.find((p) => p.device === 'planned');
    assert.ok(Math.abs(mine.total_ms / best.latency_ms.total - 1) < 1e-3, JSON.stringify(mine));
    assert.match(asked.predictions.find((p) => p.device === 'other').unknown, /no model here/);
    assert.match(await page.getByRole('row', { name: /planned/ }).innerText(), / → /);
    await page.reload();
    await page.getByText('Plan → measured').first().waitFor();
    assert.deepEqual(await faults(page), []);
    assert.deepEqual(page.problems, []);
    await page.close();
    for (const wrong of ['edge=/etc/passwd', 'edge=jetson-nano&link=/etc/passwd', 'edge=jetson-nano&cloud=x']) {
      assert.equal((await fetch(`${server.url}/api/fleet?${wrong}`)).status, 404, wrong);
    }
  });

  it('says so when nobody has sent anything, and shows hostile names as text', async () => {
    const empty = await Server.start();
    const page = await browser.page(`${empty.url}/fleet`);
    await page.getByText('No device has sent anything yet.').waitFor();
    await empty.put({ device: '<b onclick=1>x</b>', cut: '"><script>' });
    await page.getByRole('link', { name: '<b onclick=1>x</b>' }).waitFor();
    assert.deepEqual(page.problems, []);
    await page.close();
    await empty.stop();
  });
});

describe('a base map', () => {
  it('is read in ranges from a PMTiles file and says whose it is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fogline-tiles-'));
    const file = join(folder, 'tiny.pmtiles');
    writeFileSync(file, tinyArchive());
    const mapped = await Server.start('--basemap', file, '--attribution', '© <i>Us</i> & them');
    try {
      const page = await browser.context.newPage();
      const ranges = [];
      page.on('response', (response) => { if (response.url().endsWith('.pmtiles')) ranges.push(response.status()); });
      await page.goto(`${mapped.url}/?lat=0&lon=0&z=0`);
      await page.getByText('© <i>Us</i> & them').waitFor({ timeout: patience });
      await page.waitForFunction(() => document.documentElement.dataset.ready === 'true', null, { timeout: patience });
      assert.ok(ranges.length >= 1 && ranges.every((status) => status === 206), String(ranges));
      await page.close();
    } finally {
      await mapped.stop();
      rmSync(folder, { recursive: true });
    }
  });

  it('may come from another server, which the policy then names', async () => {
    const tiled = await Server.start('--basemap', 'https://tiles.invalid/{z}/{x}/{y}.png', '--attribution', '© T');
    const policy = (await fetch(tiled.url)).headers.get('content-security-policy');
    assert.match(policy, /img-src 'self' data: blob: https:\/\/tiles\.invalid;/);
    assert.doesNotMatch(policy, /unsafe/);
    await tiled.stop();
  });
});

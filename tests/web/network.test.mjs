// The network as a graph: on the planner's page and in the page that `fogline inspect --html` writes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { axeSource, Browser, modelRead, Server } from './harness.mjs';

const models = join(process.env.FOGLINE_SOURCE_DIR, 'models');
let browser;
let server;
before(async () => {
  browser = await Browser.start();
  server = await Server.start('--models', models);
  await modelRead(server, 'litter');
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

const drawn = (page) => page.waitForFunction(() => document.documentElement.dataset.graph === 'litter' && document.querySelector('.net-line'));
const plan = async (query = '') => (await fetch(`${server.url}/api/plan?${query}`)).json();

async function faults(page, within) {
  await page.evaluate(axeSource);
  const found = await page.evaluate((where) => window.axe.run(where, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }), within);
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`);
}

/** In the middle of the way between two boxes of the drawing. */
const wayAfter = (page, title) => page.locator('.net-svg').evaluate((svg, words) => {
  const box = [...svg.querySelectorAll('.net-box')].find((b) => b.querySelector('.net-title').textContent === words);
  box.scrollIntoView({ block: 'center', inline: 'center' });
  const { right, top, height } = box.querySelector('rect').getBoundingClientRect();
  return { x: right + 8, y: top + height / 2 };
}, title);

describe('the graph on the planner', () => {
  it('has the line where the plan has it, and a click on a way chooses the cut there', async () => {
    const page = await browser.page(`${server.url}/plan`);
    await drawn(page);
    const { best, candidates } = await plan();
    const graph = page.getByRole('slider', { name: 'The line through the network' });
    assert.equal(await graph.getAttribute('aria-valuenow'), String(best.cut));
    const at = await wayAfter(page, 'Block 7'); // split6 is what leaves it
    await page.mouse.click(at.x, at.y);
    await page.getByText('You chose split6').waitFor();
    assert.match(await page.locator('.net-flag-text').innerHTML(), /^split6 · /);
    const mine = candidates.find((c) => c.alias === 'split6');
    await page.mouse.move(5, 5);
    assert.ok((await page.locator('.readout').innerText()).startsWith('split6'));
    await page.waitForFunction(() => new URLSearchParams(location.search).get('cut') === 'split6');
    assert.equal(await graph.getAttribute('aria-valuenow'), String(mine.cut));
    await page.reload(); // a link shows the same
    await page.getByText('You chose split6').waitFor();
    await page.getByRole('button', { name: 'Back to the plan' }).click();
    await page.waitForFunction(() => !location.search.includes('cut='));
    assert.equal(await graph.getAttribute('aria-valuenow'), String(best.cut));
    assert.deepEqual(page.problems, []);
    await page.close();
  });

  it('goes from cut to cut by the keyboard, and says the same in a table', async () => {
    const page = await browser.page(`${server.url}/plan`);
    await drawn(page);
    const { candidates } = await plan();
    const graph = page.getByRole('slider', { name: 'The line through the network' });
    await graph.focus();
    await page.keyboard.press('Home');
    assert.match(await graph.getAttribute('aria-valuetext'), /^cloud-only, 1 tensor/);
    for (let i = 0; i < 24; i += 1) await page.keyboard.press('ArrowRight');
    const there = candidates.find((c) => c.cut === 24);
    assert.ok((await graph.getAttribute('aria-valuetext')).startsWith(there.alias ?? 'cut 24'));
    await page.keyboard.press('Enter');
    await page.getByText('You chose').waitFor();
    await page.getByText('Every cut in a table').click();
    const rows = page.locator('.cut-rows tbody tr');
    await rows.first().waitFor();
    assert.equal(await rows.count(), candidates.length);
    assert.equal(await page.locator('.cut-rows [aria-pressed=true]').innerText(), there.alias ?? 'cut 24');
    await page.locator('.cut-rows').getByRole('button', { name: 'split3' }).click();
    await page.getByText('You chose split3').waitFor();
    assert.deepEqual(await faults(page, 'main'), []);
    assert.deepEqual(page.problems, []);
    await page.close();
  });

  it('is drawn in blocks, in stages and layer by layer, with the branches of each', async () => {
    const page = await browser.page(`${server.url}/plan?cut=split3`);
    await drawn(page);
    const network = await (await fetch(`${server.url}/api/network`)).json();
    const boxes = page.locator('.net-box');
    const [blocks] = [await boxes.count()];
    await page.getByRole('radio', { name: 'Stages' }).check({ force: true });
    const stages = await boxes.count();
    await page.getByRole('radio', { name: 'Layers' }).check({ force: true });
    assert.equal(await boxes.count(), network.layers.length + 2);
    assert.ok(blocks < stages && stages < network.layers.length);
    const ways = network.tensors.reduce((sum, t) => sum + t.to.length + (t.output ? 1 : 0), 0);
    assert.equal(await page.locator('.net-way').count(), ways);
    assert.equal(await page.locator('.net-way.sent').count(), 2); // the next layer and the shortcut past it read split3
    assert.equal(await page.locator('.net-box[data-side=both]').count(), 0);
    await page.close();
  });
});

describe('the page of inspect', () => {
  it('draws the network and its cuts without asking anybody', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fogline-inspect-'));
    const file = join(folder, 'cuts.html');
    execFileSync(process.env.FOGLINE_BINARY, ['inspect', join(models, 'litter.onnx'), '--html', file]);
    const page = await browser.context.newPage();
    const problems = [];
    const asked = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => asked.push(request.url()));
    try {
      await page.goto(`file://${file}`);
      const graph = page.getByRole('slider', { name: 'The line through the network' });
      await graph.focus();
      await page.keyboard.press('Home');
      for (let i = 0; i < 24; i += 1) await page.keyboard.press('ArrowRight');
      const said = await page.locator('.net-said').innerText();
      assert.match(await graph.getAttribute('aria-valuetext'), /^cut 24/);
      assert.match(said, /^cut 24/);
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      assert.equal(await page.locator('.net-said').innerText(), said);
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await faults(page, 'html'), []);
      }
      for (const [name, holds] of [['Save Activation size over depth as SVG', /^<svg[^>]*xmlns/], ['Save Cuts as CSV', /^cut,[^\r]*\r\n0,/]]) {
        const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
        assert.match(readFileSync(await download.path(), 'utf8'), holds);
      }
      assert.deepEqual([problems, asked.filter((url) => !url.startsWith('blob:')).length], [[], 1]);
    } finally {
      await page.close();
      rmSync(folder, { recursive: true });
    }
  });
});

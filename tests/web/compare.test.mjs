// The planner's choices beyond one plan: two side by side, ties, precision, early exits, measured machines, and files.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { axeSource, Browser, modelRead, Server } from './harness.mjs';

const models = join(process.env.FOGLINE_SOURCE_DIR, 'models');
let browser;
let server;
let folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fogline-compare-'));
  for (const file of ['litter.onnx', 'litter.toml']) copyFileSync(join(models, file), join(folder, file));
  // It says of itself that it is the other in integers, and it alone has codecs: cheaper where the link is slow.
  const hash = createHash('sha256').update(readFileSync(join(models, 'litter.onnx'))).digest('hex');
  copyFileSync(join(models, 'litter.onnx'), join(folder, 'litter-int8.onnx'));
  copyFileSync(join(models, 'litter.bundle'), join(folder, 'litter-int8.bundle'));
  const note = `\n[integers]\nof = "${hash}"\nagreement = 0.99\npictures = 500\ntwo_fold = true\n`;
  writeFileSync(join(folder, 'litter-int8.toml'), readFileSync(join(models, 'litter.toml'), 'utf8') + note);
  execFileSync(process.env.FOGLINE_BINARY, ['profile', 'litter.onnx', '--budget', '1', '--out', 'here.json'], { cwd: folder, stdio: 'ignore' });
  browser = await Browser.start();
  server = await Server.start('--models', folder, '--early', folder);
  for (const name of ['litter', 'litter-int8', 'early']) await modelRead(server, name);
});
after(async () => {
  await browser?.stop();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const api = async (query) => (await fetch(`${server.url}/api/plan?${query}`)).json();
const planned = (page, query) => page.waitForFunction((wanted) => document.documentElement.dataset.planned === wanted, query);
const command = (words) => JSON.parse(execFileSync(process.env.FOGLINE_BINARY, words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
const without = ({ plan_ms, scatter, ...rest }) => rest;
const printed = (page) => page.locator('[aria-labelledby=same] .command code').textContent();

async function faults(page) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`);
}

describe('two plans', () => {
  it('stand side by side, with what was asked otherwise, and a link shows the same', async () => {
    const page = await browser.page(`${server.url}/plan?model=litter`);
    await planned(page, 'model=litter');
    await page.getByRole('button', { name: 'Keep this plan as A' }).click();
    await page.locator('#plan-edge').selectOption('raspberry-pi-4');
    await page.getByLabel('Uplink, Mbit/s').fill('1');
    await planned(page, 'model=litter&edge=raspberry-pi-4&up=1');
    const panel = page.locator('.side-by-side');
    await panel.getByText('B differs in device: jetson-nano → raspberry-pi-4, uplink: 8 → 1.').waitFor();
    const money = panel.getByRole('row', { name: /^Money/ });
    const [a, b] = [(await api('model=litter')).best, (await api('model=litter&edge=raspberry-pi-4&up=1')).best];
    const shown = await money.locator('td').allTextContents();
    assert.ok(shown[0].startsWith(a.cost_per_device_month.toFixed(2)) && shown[1].startsWith(b.cost_per_device_month.toFixed(2)), String(shown));
    assert.equal(await panel.locator('td.better').count() > 0, true);
    await page.waitForFunction(() => new URLSearchParams(location.search).get('a') === 'model=litter');
    const before = await panel.textContent();
    await page.reload();
    await panel.getByText('B differs in').waitFor();
    assert.equal(await panel.textContent(), before);
    assert.deepEqual(await faults(page), []);
    await panel.getByRole('button', { name: 'Forget A' }).click();
    await page.waitForFunction(() => !location.search.includes('a='));
    assert.deepEqual(page.problems, []);
    await page.close();
  });
});

describe('everything at once', () => {
  for (const [width, colorScheme] of [[1024, 'light'], [390, 'dark']]) {
    it(`has no fault that axe finds and fits ${width} px, in ${colorScheme}`, async () => {
      const page = await browser.page(`${server.url}/plan?model=litter&cut=split6&a=edge%3Draspberry-pi-4`, { size: { width, height: 900 }, media: { colorScheme } });
      await page.getByText('You chose split6').waitFor();
      await page.getByText('B differs in').waitFor();
      await page.locator('.note', { hasText: 'only exact codecs and estimated JPEG sizes were considered' }).waitFor(); // no bundle lies beside it
      await page.evaluate(() => { for (const folded of document.querySelectorAll('details')) folded.open = true; });
      await page.locator('.cut-rows tbody tr').first().waitFor();
      assert.deepEqual(await faults(page), []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
      assert.deepEqual(page.problems, []);
      await page.close();
    });
  }
});

describe('ties', () => {
  it('are shown in the band in which nobody can tell them from the cheapest', async () => {
    let asked;
    for (const up of [1, 2, 3, 5, 8, 12, 20]) {
      asked = `model=litter-int8&up=${up}`;
      if ((await api(asked)).ties.length > 0) break;
    }
    const { ties, uncertainty } = await api(asked);
    assert.ok(ties.length > 0);
    const page = await browser.page(`${server.url}/plan?${asked}`);
    await planned(page, asked);
    const rows = page.locator('.ties-box tbody tr');
    assert.equal(await rows.count(), Math.min(8, ties.length + 1));
    assert.equal(await page.locator('.ties-box .ties').textContent(), uncertainty.text);
    const inside = await page.locator('.ties-box svg:has(.tie-band)').evaluateAll((all) => all.every((svg) => {
      const [band, dot] = [svg.querySelector('.tie-band'), svg.querySelector('.tie-dot')];
      const [x, wide, at] = [band.getAttribute('x'), band.getAttribute('width'), dot.getAttribute('cx')].map(Number);
      return at >= x - 1e-6 && at <= x + wide + 1e-6;
    }));
    assert.equal(inside, true);
    await rows.getByRole('button').first().click();
    await page.getByText('You chose').waitFor();
    await page.close();
  });
});

describe('precision', () => {
  it('is weighed as the command weighs it, and the page draws the network that is taken', async () => {
    const where = 'edge=raspberry-pi-3b-plus&cloud=c7g.large&link=4g&strict=1';
    const query = `model=litter&integers=litter-int8&${where}`;
    const said = await api(query);
    assert.equal(said.precision[1].chosen, true, JSON.stringify(said.precision));
    const page = await browser.page(`${server.url}/plan?model=litter&${where}`);
    await planned(page, `model=litter&${where}`);
    await page.getByLabel('Precision').selectOption('litter-int8');
    await planned(page, query);
    await page.locator('.precision').getByText('99 % of verdicts stay as in float').waitFor();
    await page.waitForFunction(() => document.documentElement.dataset.graph === 'litter-int8');
    const words = (await printed(page)).split(' ').slice(1);
    assert.deepEqual(without(command([...words, '--json', '--explain'])), without(said));
    assert.match(await page.locator('.run-block code').first().textContent(), /--model litter-int8\.onnx/);
    assert.deepEqual(await faults(page), []);
    assert.deepEqual(page.problems, []);
    await page.close();
  });

  it('is no question for a network that is there once', async () => {
    const page = await browser.page(`${server.url}/plan?model=early`);
    await planned(page, 'model=early');
    assert.equal(await page.getByLabel('Precision').isVisible(), false);
    assert.equal(await page.getByLabel('Sure pictures may leave early, share of verdicts that may differ').isVisible(), true);
    await page.close();
  });
});

describe('early exits', () => {
  it('are asked for by what they may change, and say what they buy and promise', async () => {
    const where = 'model=early&edge=raspberry-pi-3b-plus&link=3g';
    const page = await browser.page(`${server.url}/plan?${where}`);
    await planned(page, where);
    assert.equal(await page.locator('.exit').count(), 0);
    await page.getByLabel('Sure pictures may leave early, share of verdicts that may differ').fill('0.01');
    await planned(page, `${where}&max_disagreement=0.01`);
    const said = await api(`${where}&max_disagreement=0.01`);
    assert.equal(said.best.exit.sure_share, 0.6);
    assert.match(await page.locator('.exit').innerText(), /^60 % of the pictures leave at split3, .* at most 0\.\d+ % of all get another class/);
    const rival = said.rivals.find((r) => r.key === 'no-exit');
    assert.ok(rival.objective > said.best.objective && !rival.exit);
    assert.equal(await page.locator('.rivals th', { hasText: 'without leaving early' }).count(), 1);
    assert.match(await page.locator('.run-block code').first().textContent(), /split3@0\.9/);
    await page.getByRole('slider', { name: /^Sure pictures/ }).focus();
    await page.keyboard.press('Home');
    await planned(page, where);
    assert.deepEqual(page.problems, []);
    await page.close();
  });
});

describe('machines', () => {
  it('are found by letters, and those that were measured here stand beside them', async () => {
    const page = await browser.page(`${server.url}/plan?model=litter`);
    await planned(page, 'model=litter');
    await page.getByLabel('Find a device').fill('raspberry pi 4');
    const options = await page.locator('#plan-edge option').allTextContents();
    assert.ok(options.length < 6 && options.some((name) => /Raspberry Pi 4/.test(name)), String(options));
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /edge=raspberry-pi-4/.test(document.documentElement.dataset.planned));
    await page.locator('#plan-edge').selectOption('here.json');
    await planned(page, 'model=litter&edge=here.json');
    const said = await api('model=litter&edge=here.json');
    const words = (await printed(page)).split(' ').slice(1);
    assert.deepEqual(without(command([...words, '--json', '--explain'])), without(said));
    assert.deepEqual(page.problems, []);
    await page.close();
  });
});

describe('files', () => {
  const saved = async (page, name) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name, exact: true }).click()]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  };
  it('hold each chart as a drawing, as a picture and as figures', async () => {
    const page = await browser.page(`${server.url}/plan?model=litter`);
    await planned(page, 'model=litter');
    await page.waitForFunction(() => document.querySelector('.net-line'));
    const { candidates } = await api('model=litter');
    for (const chart of ['The graph', 'Cut by cut', 'Where the line moves', 'Two wishes at once']) {
      const drawing = await saved(page, `${chart} as SVG`);
      const parsed = await page.evaluate((text) => {
        const tree = new DOMParser().parseFromString(text, 'image/svg+xml');
        return { errors: tree.querySelectorAll('parsererror').length, paths: tree.querySelectorAll('path').length, classes: tree.querySelectorAll('[class]').length };
      }, drawing.bytes.toString());
      assert.deepEqual([parsed.errors, parsed.classes], [0, 0], chart);
      assert.ok(parsed.paths > 3, chart);
      const picture = await saved(page, `${chart} as PNG`);
      assert.equal(picture.bytes.subarray(1, 4).toString(), 'PNG', chart);
      assert.ok((await saved(page, `${chart} as CSV`)).bytes.length > 100, chart);
    }
    const table = (await saved(page, 'Cut by cut as CSV')).bytes.toString().trim().split('\r\n');
    assert.equal(table.length, candidates.length + 1);
    assert.match((await saved(page, 'What the others would cost as CSV')).bytes.toString(), /Everything on the device/);
    assert.deepEqual(page.problems, []);
    await page.close();
  });
});

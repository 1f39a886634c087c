// The planner: page, API and command say the same; every control does what it says; nothing that is asked of the API
// breaks it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Browser, modelRead, Server } from './harness.mjs';

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

const api = async (query) => {
  const response = await fetch(`${server.url}/api/plan?${query}`);
  return { status: response.status, said: await response.json() };
};
/** What `fogline` answers, run where the models lie. */
const command = (words) => JSON.parse(execFileSync(process.env.FOGLINE_BINARY, words, { cwd: models, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
/** All but how long it took, and the dots that only the page needs. */
const without = ({ plan_ms, scatter, ...rest }) => rest;

/** Until the page shows the answer to exactly this question. */
const planned = (page, query) => page.waitForFunction((wanted) => document.documentElement.dataset.planned === wanted, query);

describe('page, API and command', () => {
  const settings = [
    ['', 'plan litter.onnx --edge jetson-nano --cloud t2.micro --link 4g --devices 100'],
    ['edge=raspberry-pi-4&cloud=c7g.large&link=3g&objective=cost&devices=2500',
      'plan litter.onnx --edge raspberry-pi-4 --cloud c7g.large --link 3g --objective cost --devices 2500'],
    ['link=wifi&up=2.5&rtt=80&data_price=1.5&objective=latency=1,cost=50&rate=0.2&rent=0.05&device_price=80&electricity=0.3&devices=3',
      'plan litter.onnx --edge jetson-nano --cloud t2.micro --link wifi,up=2.5,rtt=80,price=1.5 --objective latency=1,cost=50 --rate 0.2 ' +
      '--rent 0.05 --device-price 80 --electricity 0.3 --devices 3'],
    ['objective=throughput&deliver=edge&codec=f32,f16&cloud_load=0.5',
      'plan litter.onnx --edge jetson-nano --cloud t2.micro --link 4g --objective throughput --deliver edge --codec f32,f16 --cloud-load 0.5 --devices 100'],
    ['never_send_input=1&min_agreement=0.97&two_way=1&y=energy',
      'plan litter.onnx --edge jetson-nano --cloud t2.micro --link 4g --never-send-input --min-agreement 0.97 --two-way --pareto latency,energy --devices 100'],
  ];
  for (const [query, words] of settings) {
    it(`agree on ${query || 'the defaults'}`, async () => {
      const { status, said } = await api(query);
      assert.equal(status, 200);
      assert.deepEqual(without(said), without(command([...words.split(' '), '--json', '--explain'])));
    });
  }

  it('agree on the command that the page prints', async () => {
    const query = 'edge=raspberry-pi-4&link=3g&up=1.2&max_latency=500&never_send_input=1';
    const page = await browser.page(`${server.url}/plan?${query}`);
    await planned(page, query);
    const printed = await page.locator('[aria-labelledby=same] .command code').textContent();
    assert.match(printed, /^fogline plan litter\.onnx /);
    assert.deepEqual(without((await api(query)).said), without(command([...printed.split(' ').slice(1), '--json', '--explain'])));
    const verdict = await page.locator('.verdict-head').innerText();
    const { best } = (await api(query)).said;
    assert.ok(verdict.includes(best.alias ?? String(best.cut)) || /all/.test(verdict), verdict);
    assert.deepEqual(page.problems, []);
    await page.close();
  });
});

describe('the API', () => {
  it('says which limit stands in the way', async () => {
    const { status, said } = await api('max_latency=0.001');
    assert.equal(status, 200);
    assert.equal(said.best, null);
    assert.equal(said.conflict.limit, '--max-latency');
    assert.match(said.conflict.message, /cannot be met: the closest is/);
    assert.ok(said.candidates.length > 10 && said.candidates.every((c) => c.violates.includes('--max-latency')));
  });

  it('refuses what it cannot plan, and looks at no file', async () => {
    for (const [query, status] of [['model=nothing', 404], ['model=../models/litter', 404], ['model=litter.onnx', 404], ['edge=/etc/passwd', 404],
      ['edge=pi.json', 404], ['link=/etc/passwd', 404], ['link=4g,up=3', 400], ['link=up=3', 400], ['objective=love', 400], ['codec=zip', 400],
      ['not_before=nothing', 404], ['max_latency=5&max_latency_p95=5', 400], ['up=0', 400], ['up=nan', 400], ['up=1e9', 400], ['up=1&up=2', 400],
      ['rate=-1', 400], ['devices=0', 400], ['objective=energy&edge=c7g.large', 400], ['objective=latency=1e400', 400],
      [`objective=${'latency=1,'.repeat(99)}x`, 400], [`not_before=${'x'.repeat(1000)}`, 404], [`edge=${'%F0%9F%92%A9'.repeat(60)}`, 404]]) {
      const answer = await api(query);
      assert.equal(answer.status, status, `${query}: ${JSON.stringify(answer.said).slice(0, 200)}`);
      assert.equal(typeof answer.said.error, 'string');
    }
  });

  it('has nothing to plan for without models', async () => {
    const bare = await Server.start();
    assert.deepEqual(await (await fetch(`${bare.url}/api/models`)).json(), { models: [], profiles: [] });
    assert.equal((await fetch(`${bare.url}/api/plan`)).status, 404);
    const page = await browser.page(`${bare.url}/plan`);
    await page.getByText('has no models to plan for').waitFor();
    assert.deepEqual(page.problems, []);
    await page.close();
    await bare.stop();
  });
});

describe('what a plan says of itself', () => {
  it('names a proof by its method and its scope', async () => {
    const free = (await api('strict=1')).said;
    const limited = (await api('strict=1&max_memory=1e5')).said;
    assert.equal(limited.certificate.method, 'enumeration');
    assert.deepEqual(limited.certificate.limits, ['--max-memory']);
    assert.match(limited.certificate.text, /all \d+ candidates .* keep to --max-memory none costs less/);
    if (free.certificate.method === 'min-cut') assert.match(free.certificate.text, /maximum flow/);
    assert.ok(Math.abs(free.certificate.value - free.certificate.lower_bound) <= 1e-9 * free.certificate.value);
  });

  it('prefers among ties what changes no verdict, and names the others', async () => {
    let seen = 0;
    for (const up of [0.5, 1, 2, 3, 5, 8, 12, 20]) {
      const { said } = await api(`up=${up}`);
      const strict = (await api(`up=${up}&strict=1`)).said;
      assert.equal(strict.best.objective, strict.certificate.optimum);
      assert.ok(said.best.objective >= strict.best.objective);
      for (const tie of said.ties) assert.ok((tie.agreement ?? -1) <= (said.best.agreement ?? -1));
      if (said.best.cut !== strict.best.cut || said.best.codec !== strict.best.codec) {
        seen += 1;
        const cheapest = said.ties.find((tie) => tie.cheapest);
        assert.equal(cheapest.cut, strict.best.cut);
        assert.ok(said.best.objective - strict.best.objective <= (said.uncertainty.edge + said.uncertainty.cloud) * said.best.latency_ms.total);
        assert.match(said.uncertainty.text, /^Within the uncertainty of the times \(edge .* cloud .*\) lie also /);
      }
    }
    assert.ok(seen > 0);
  });

  it('recommends what runs', async () => {
    const asked = 'codec=f32&link=ethernet&edge=raspberry-pi-3b-plus&up=500&strict=1';
    const { said } = await api(asked);
    assert.equal(said.best.runnable, true);
    assert.notEqual(said.best.cut, 0);
    const picture = said.candidates.find((c) => c.cut === 0);
    assert.match(picture.not_runnable, /jpeg, webp or json/);
    assert.equal((await api(`${asked}&ideal=1`)).said.best.cut, 0);
  });
});

describe('the page', () => {
  it('answers every control, and keeps it all in the address', async () => {
    const page = await browser.page(`${server.url}/plan`);
    await planned(page, '');
    const up = page.getByRole('slider', { name: /^Uplink/ });
    await up.focus();
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction(() => /^up=/.test(document.documentElement.dataset.planned));
    await page.getByLabel('Uplink, Mbit/s').fill('0.3');
    await planned(page, 'up=0.3');
    await page.locator('#plan-edge').selectOption('raspberry-pi-4');
    await planned(page, 'edge=raspberry-pi-4&up=0.3');
    await page.locator('#plan-link').selectOption('wifi'); // with its own figures again
    await planned(page, 'edge=raspberry-pi-4&link=wifi');
    await page.getByRole('radio', { name: 'Money' }).check();
    await planned(page, 'edge=raspberry-pi-4&link=wifi&objective=cost');
    await page.getByLabel('Fleet, devices').fill('500');
    await planned(page, 'edge=raspberry-pi-4&link=wifi&objective=cost&devices=500');
    await page.getByLabel('Fleet, devices').fill('5000000');
    await page.locator('label[for=plan-devices]', { hasText: '5,000,000 devices, beyond the slider' }).waitFor();
    await page.getByLabel('Fleet, devices').fill('500');
    await planned(page, 'edge=raspberry-pi-4&link=wifi&objective=cost&devices=500');
    await page.getByText('What the words mean').click();
    await page.getByText('Nineteen of twenty pictures are faster.').waitFor();
    await page.getByText('Constraints').click();
    await page.getByLabel('Agreement at least').fill('97');
    await planned(page, 'edge=raspberry-pi-4&link=wifi&objective=cost&devices=500&min_agreement=0.97');
    await page.locator('#plan-y').selectOption('energy');
    await planned(page, 'edge=raspberry-pi-4&link=wifi&objective=cost&y=energy&devices=500&min_agreement=0.97');
    const verdict = await page.locator('.verdict').innerText();
    await page.waitForFunction(() => location.search.includes('y=energy'));
    await page.reload();
    await planned(page, 'edge=raspberry-pi-4&link=wifi&objective=cost&y=energy&devices=500&min_agreement=0.97');
    assert.equal(await page.locator('.verdict').innerText(), verdict);
    await page.getByRole('button', { name: 'Start over' }).click();
    await planned(page, '');
    assert.deepEqual(page.problems, []);
    await page.close();
  });

  it('draws the line where the plan has it, and tells each cut to the keyboard', async () => {
    const page = await browser.page(`${server.url}/plan`);
    const { said } = await api('');
    const slider = page.getByRole('slider', { name: 'Cut to look at' });
    await planned(page, '');
    assert.equal(await slider.getAttribute('aria-valuenow'), String(said.candidates.findIndex((c) => c.cut === said.best.cut)));
    await slider.focus();
    await page.keyboard.press('Home');
    assert.match(await slider.getAttribute('aria-valuetext'), /^cloud-only as /);
    assert.match(await page.locator('.readout').innerText(), /^cloud-only/);
    await page.keyboard.press('End');
    assert.match(await page.locator('.readout').innerText(), /^edge-only/);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.moves li').count(), said.envelope.length);
    assert.equal(await page.locator('.rivals tbody tr').count(), said.rivals.length + 1);
    assert.deepEqual(page.problems, []);
    await page.close();
  });

  it('moves the uplink where the envelope is dragged to', async () => {
    const page = await browser.page(`${server.url}/plan`);
    const chart = page.locator('.pair .chart svg').first();
    await chart.scrollIntoViewIfNeeded();
    const box = await chart.boundingBox();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.2, box.y + 100, { steps: 5 });
    await page.mouse.up();
    await page.waitForFunction(() => { const up = Number(new URLSearchParams(document.documentElement.dataset.planned).get('up')); return up > 0.02 && up < 0.5; });
    assert.deepEqual(page.problems, []);
    await page.close();
  });

  it('says what each dot is, and takes the one that is clicked', async () => {
    const page = await browser.page(`${server.url}/plan`);
    await planned(page, '');
    const best = page.locator('.wishes .here-dot');
    await best.scrollIntoViewIfNeeded();
    await best.hover({ force: true });
    const { said } = await api('');
    await page.locator('.wishes .tip', { hasText: new RegExp(`^(${said.best.alias ?? '.+'}|edge-only|cloud-only) · `) }).waitFor();
    assert.match(await page.locator('.wishes .tip').innerText(), / ms\n.* € a device and month$/);
    const box = await page.locator('.wishes svg').boundingBox();
    await page.mouse.move(box.x + 1, box.y + 1);
    await page.locator('.wishes .tip').waitFor({ state: 'hidden' });
    await page.close();
  });

  it('fits on paper, without what only a screen can do', async () => {
    const page = await browser.page(`${server.url}/plan`, { size: { width: 760, height: 1100 }, media: { media: 'print' } });
    await planned(page, '');
    assert.equal(await page.locator('.plan-side').isVisible(), false);
    assert.equal(await page.getByRole('button', { name: 'Cut by cut as SVG' }).isVisible(), false);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await page.close();
  });

  it('says where nothing keeps to a limit, what is proven and what ties', async () => {
    const free = (await api('edge=raspberry-pi-3b-plus')).said;
    const most = (free.rivals.find((r) => r.key === 'edge-only').latency_ms.total * 0.9).toPrecision(3);
    const query = `edge=raspberry-pi-3b-plus&max_latency=${Number(most)}`;
    const { said } = await api(query);
    assert.ok(said.nothing_below_mbps > 0 && said.envelope[0].from_mbps === said.nothing_below_mbps);
    const page = await browser.page(`${server.url}/plan?${query}`);
    await planned(page, query);
    assert.match(await page.locator('.moves li').first().innerText(), /nothing keeps to the limits/);
    assert.equal(await page.locator('.moves li').count(), said.envelope.length + 1);
    assert.ok((await page.locator('.proof').innerText()).startsWith(said.certificate.text));
    if (said.uncertainty.text !== '') assert.equal(await page.locator('.ties').textContent(), said.uncertainty.text);
    assert.deepEqual(page.problems, []);
    await page.close();
  });

  it('says that a plan is an earlier one while the server is gone, and asks until it is back', async () => {
    const page = await browser.page(`${server.url}/plan`);
    await planned(page, '');
    await page.route('**/api/plan*', (route) => route.abort());
    await page.locator('#plan-edge').selectOption('raspberry-pi-4');
    await page.getByRole('alert').getByText('The server does not answer').waitFor();
    assert.equal(await page.locator('.status').innerText(), 'Reconnecting');
    assert.ok(await page.evaluate(() => document.documentElement.classList.contains('stale')));
    await page.unroute('**/api/plan*');
    await planned(page, 'edge=raspberry-pi-4');
    await page.getByRole('alert').waitFor({ state: 'hidden' });
    assert.equal(await page.locator('.status').innerText(), 'Live');
    await page.close();
  });

  it('says so when no line keeps to the limits, and when the server refuses', async () => {
    const page = await browser.page(`${server.url}/plan?max_latency=0.01`);
    await page.getByText('No line keeps to these limits').first().waitFor();
    await page.goto(`${server.url}/plan?up=-5`);
    await page.getByRole('alert').getByText('must be a number').waitFor();
    await page.getByLabel('Uplink, Mbit/s').fill('5');
    await planned(page, 'up=5');
    await page.close();
  });
});

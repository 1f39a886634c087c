// What the planner says to run, runs: its lines, word for word, against a real broker.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Browser, modelRead, patience, Server } from './harness.mjs';

const models = join(process.env.FOGLINE_SOURCE_DIR, 'models');
const path = `${dirname(process.env.FOGLINE_BINARY)}:/usr/sbin:${process.env.PATH}`;
let browser;
let server;
let folder;
const running = [];
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fogline-run-'));
  browser = await Browser.start();
  server = await Server.start('--models', models);
  await modelRead(server, 'litter');
});
after(async () => {
  await browser?.stop();
  await server?.stop();
  for (const child of running) {
    if (child.exitCode === null) {
      child.kill();
      await new Promise((resolve) => { child.once('exit', resolve); });
    }
  }
  rmSync(folder, { recursive: true, force: true });
});

const freePort = () => new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
async function answers(port) {
  for (const end = Date.now() + patience; Date.now() < end; ) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); }).on('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
  throw new Error(`nothing answers at ${port}`);
}
/** A line as a shell has it: what it prints and how it ends. */
function shell(line) {
  const child = spawn('bash', ['-c', `exec ${line}`], { cwd: models, env: { ...process.env, PATH: path, FOGLINE_STORE: `sqlite:${join(folder, 'run.db')}` } });
  running.push(child);
  let said = '';
  let complained = '';
  child.stdout.on('data', (text) => { said += text; });
  child.stderr.on('data', (text) => { complained += text; });
  return { child, done: new Promise((resolve) => { child.once('exit', (code) => resolve({ code, said, complained })); }) };
}

describe('"run this"', () => {
  it('runs as it stands: every picture is stored by the route that was chosen', async () => {
    const [port, http] = [await freePort(), await freePort()];
    running.push(spawn('mosquitto', ['-p', String(port)], { env: { ...process.env, PATH: path }, stdio: 'ignore' }));
    await answers(port);
    const page = await browser.page(`${server.url}/plan?rate=500&cut=split6`);
    await page.getByText('You chose split6').waitFor();
    await page.getByLabel('Device’s name').fill('bike 7');
    await page.getByLabel('Pictures from').fill('demo');
    await page.getByLabel('Broker').fill(`mqtt://127.0.0.1:${port}`);
    const [edge, cloud] = await page.locator('.run > div > .run-block code').allTextContents();
    assert.match(edge, /--route litter@160:split6\/q\d .*--device bike-7 /);
    const services = await page.locator('.run details code').allTextContents();
    assert.match(services[0], /^FOGLINE_BROKER=mqtts:\/\/127\.0\.0\.1.*\nFOGLINE_FLAGS=--model \/usr\/share\/fogline\/models\/litter\.onnx --route litter@160:split6/);
    assert.deepEqual(page.problems, []);
    await page.close();
    shell(cloud.replace(':8080', `:${http}`));
    await answers(http);
    const { code, said, complained } = await shell(`${edge} --json`).done;
    assert.equal(code, 0, complained);
    const ended = JSON.parse(said);
    assert.equal(ended.stored, 40, said);
    const stored = await (await fetch(`http://127.0.0.1:${http}/api/detections?limit=100`)).json();
    const list = stored.detections ?? stored.features ?? stored;
    assert.ok(list.length === 40 && list.every((d) => d.device === 'bike-7' && d.mechanism === 'split'), JSON.stringify(list[0]));
  });

  it('says why not where edge and cloud do not run it', async () => {
    const page = await browser.page(`${server.url}/plan?ideal=1&codec=f32&cut=input&link=ethernet&up=500`);
    await page.getByText(/^cloud-only: not run yet/).waitFor();
    assert.equal(await page.locator('.run-block').first().isVisible(), false);
    await page.close();
  });
});

// The picture of a detector on the map in README: runs the demo with any detector on the demo's own rendered scenes, opens the map on what it
// stored and takes a picture of it, the surest box's card open.
//   node bench/detector_picture.mjs build/release/fogline MODEL.onnx docs/images/detector.png
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:net';

const [binary, model, out] = process.argv.slice(2);
if (out === undefined) throw new Error('usage: node bench/detector_picture.mjs FOGLINE MODEL.onnx OUT.png');
process.env.FOGLINE_SOURCE_DIR ??= join(import.meta.dirname, '..');
const { Browser, patience } = await import('../tests/web/harness.mjs');

const folder = mkdtempSync(join(tmpdir(), 'fogline-picture-'));
const store = `sqlite:${join(folder, 'walk.db')}`;
const port = await new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port: free } = server.address();
    server.close(() => resolve(free));
  });
});
const url = `http://127.0.0.1:${port}`;
let map;
let browser;
try {
  const demo = ['demo', '--once', '--model', model, '--store', store, '--thumbnail', '320', '--rate', '0.7', '--port', String(port)];
  if (spawnSync(binary, demo, { stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0) process.stderr.write('the demo did not end well; what it stored is shown\n');
  map = spawn(binary, ['map', '--store', store, '--thumbnails', '--http', `127.0.0.1:${port}`], { stdio: 'ignore' });
  let surest;
  for (const end = Date.now() + patience; surest === undefined && Date.now() < end; ) {
    const answer = await fetch(`${url}/api/detections?found_least=1&mechanism=split&limit=1000`).catch(() => null);
    const rows = answer?.ok ? (await answer.json()).detections : [];
    surest = rows.sort((a, b) => b.boxes[0].score - a.boxes[0].score)[0];
    if (surest === undefined) await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  if (surest === undefined) throw new Error('the detector found nothing in the pictures');
  browser = await Browser.start({ width: 1280, height: 800 });
  const page = await browser.page(`${url}/?found_least=1&id=${surest.id}`);
  await page.waitForFunction(() => document.querySelector('.card img')?.naturalWidth > 0);
  await page.waitForFunction(() => document.querySelector('[role=group][aria-label=Found] b') !== null);
  await page.evaluate(() => document.fonts.ready);
  await page.waitForLoadState('networkidle');
  await page.screenshot({ path: out });
  process.stdout.write(`${out}: ${surest.boxes.map((box) => `${box.label} ${box.score}`).join(', ')}\n`);
} finally {
  await browser?.stop();
  map?.kill();
  rmSync(folder, { recursive: true, force: true });
}

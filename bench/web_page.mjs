// What a viewer waits for with many detections stored: node bench/web_page.mjs TEST_SERVER [COUNT=500000]
// (TEST_SERVER: build/<preset>/tests/web/web_test_server). Drives a real headless Chromium in software rendering, so each
// figure stands beside the browser's own floor: the same page over an empty store. Prints one JSON line.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.env.FOGLINE_WEB_TEST_SERVER = process.argv[2];
process.env.FOGLINE_SOURCE_DIR ??= fileURLToPath(new URL('..', import.meta.url));
const { Browser, Server } = await import('../tests/web/harness.mjs');
const count = Number(process.argv[3] ?? 500_000);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function measure(browser, server) {
  const first = [];
  const pan = [];
  for (let i = 0; i < 5; i += 1) {
    const page = await browser.page(`${server.url}/?lat=20&lon=0&z=2`);
    first.push(await page.evaluate(() => performance.now()));
    for (let step = 0; step < 6; step += 1) {
      pan.push(await page.evaluate(() => new Promise((resolve) => {
        const began = performance.now();
        document.addEventListener('fogline-drawn', () => requestAnimationFrame(() => resolve(performance.now() - began)), { once: true });
        const canvas = document.querySelector('canvas.maplibregl-canvas');
        canvas.dispatchEvent(new KeyboardEvent('keydown', { keyCode: 39, which: 39, key: 'ArrowRight', bubbles: true, shiftKey: false }));
      })));
    }
    await page.close();
  }
  return { first_map_ms: Math.round(median(first)), pan_ms: Math.round(median(pan)) };
}

const folder = mkdtempSync(join(tmpdir(), 'fogline-page-'));
const browser = await Browser.start();
const full = await Server.start(`sqlite:${join(folder, 'many.db')}`);
const empty = await Server.start();
try {
  await full.say(`many ${count} 3`);
  const timings = {};
  for (const question of ['hexagons?level=2', 'hexagons?level=9&box=-10,30,40,60&points=1500', 'timeline', 'detections?limit=60', 'stats', 'inventory']) {
    const times = [];
    for (let i = 0; i < 9; i += 1) {
      const began = performance.now();
      await (await fetch(`${full.url}/api/${question}`)).arrayBuffer();
      times.push(performance.now() - began);
    }
    timings[question] = Number(median(times).toFixed(1));
  }
  const floor = await measure(browser, empty);
  const seen = await measure(browser, full);
  console.log(JSON.stringify({ count, floor, full: seen, api_ms: timings }));
} finally {
  await browser.stop();
  await full.stop();
  await empty.stop();
  rmSync(folder, { recursive: true });
}

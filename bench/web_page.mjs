// What a viewer waits for: node bench/web_page.mjs TEST_SERVER [COUNT=500000] [map,live,plan,weight]
// (TEST_SERVER: build/<preset>/tests/web/web_test_server). Drives a real headless Chromium in software rendering, so each
// figure of the map stands beside the browser's own floor: the same page over an empty store. Prints one JSON line, with
// the machine's load average before and after.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.env.FOGLINE_WEB_TEST_SERVER = process.argv[2];
process.env.FOGLINE_SOURCE_DIR ??= fileURLToPath(new URL('..', import.meta.url));
const { Browser, modelRead, Server } = await import('../tests/web/harness.mjs');
const count = Number(process.argv[3] ?? 500_000);
const parts = (process.argv[4] ?? 'map,live,plan,weight').split(',');
const sorted = (list) => [...list].sort((a, b) => a - b);
const quantile = (list, q) => sorted(list)[Math.min(list.length - 1, Math.floor(list.length * q))];
const median = (list) => quantile(list, 0.5);
const spread = (list) => ({ p50: Number(median(list).toFixed(1)), p95: Number(quantile(list, 0.95).toFixed(1)), worst: Number(Math.max(...list).toFixed(1)), n: list.length });
const load = () => Number(loadavg()[0].toFixed(1));

/** From navigation until the first useful map is drawn, and from a key that pans until what it shows is drawn. */
async function measureMap(browser, server) {
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

/** Ten seconds of a user pressing a key every 250 ms on a map of single points, with `live` new points a second: how long
 *  the page is busy at a stretch, and how long an input waits. */
async function measureLive(browser, server, live) {
  await server.say('walk cam-live 500 47.37 8.54 5');
  const page = await browser.page(`${server.url}/?lat=47.37&lon=8.54&z=13`);
  await page.evaluate(() => {
    const seen = { long: [], delay: [], frames: [] };
    window.seen = seen;
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) seen.long.push(entry.duration); }).observe({ type: 'longtask' });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (entry.name === 'keydown') seen.delay.push(entry.processingStart - entry.startTime);
    }).observe({ type: 'event', durationThreshold: 16 });
    let last = performance.now();
    const frame = (now) => { seen.frames.push(now - last); last = now; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
    document.querySelector('canvas.maplibregl-canvas').focus();
  });
  const end = Date.now() + 10_000;
  let sent = 0;
  const feed = (async () => {
    for (let i = 0; live > 0 && Date.now() < end; i += 1) {
      const next = Date.now() + 100;
      await server.say(`walk cam-live ${live / 10} 47.37 8.54 ${100 + i}`);
      sent += live / 10;
      await new Promise((resolve) => { setTimeout(resolve, Math.max(0, next - Date.now())); });
    }
  })();
  let keys = 0;
  while (Date.now() < end) {
    await page.keyboard.press(['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp'][keys % 4]);
    keys += 1;
    await new Promise((resolve) => { setTimeout(resolve, 250); });
  }
  await feed;
  const seen = await page.evaluate(() => window.seen);
  await page.close();
  return {
    points_per_second: Math.round(sent / 10), keys, long_tasks: seen.long.length, longest_task_ms: Math.round(Math.max(0, ...seen.long)),
    frame_ms: spread(seen.frames), input_delay_ms: seen.delay.length > 0 ? spread(seen.delay) : null, slow_inputs: seen.delay.length,
  };
}

/** From an input event of the uplink's slider until the answer is painted, one step at a time; and what of it is whose. */
async function measurePlan(browser, server) {
  const page = await browser.page(`${server.url}/plan`);
  // The page's own work in processor time, which a busy machine does not stretch as it does the clock's.
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const work = async () => Object.fromEntries((await devtools.send('Performance.getMetrics')).metrics.map((m) => [m.name, m.value * 1000]));
  const before = await work();
  const samples = await page.evaluate(async () => {
    const slider = document.getElementById('plan-up');
    const painted = () => new Promise((resolve) => requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => resolve(performance.now());
      channel.port2.postMessage(null);
    }));
    const out = [];
    performance.setResourceTimingBufferSize(1000);
    for (let i = 0; i < 120; i += 1) {
      slider.value = String(60 + i);
      const answered = new Promise((resolve) => document.addEventListener('fogline-planned', () => resolve(performance.now()), { once: true }));
      const began = performance.now();
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      const drawn = await answered;
      const shown = await painted();
      const entry = performance.getEntriesByType('resource').filter((e) => e.name.includes('/api/plan')).at(-1);
      out.push({ drawn: drawn - began, shown: shown - began, server: entry.serverTiming[0]?.duration ?? NaN, fetch: entry.responseEnd - entry.startTime });
    }
    return out;
  });
  const after = await work();
  const each = (name) => Number(((after[name] - before[name]) / samples.length).toFixed(2));
  // The floor: the same wait for a frame with nothing but a changed attribute.
  const floor = await page.evaluate(async () => {
    const out = [];
    for (let i = 0; i < 60; i += 1) {
      const began = performance.now();
      document.querySelector('.headline').style.opacity = i % 2 ? '1' : '0.999';
      await new Promise((resolve) => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = resolve;
        channel.port2.postMessage(null);
      }));
      out.push(performance.now() - began);
    }
    return out;
  });
  await page.close();
  return {
    server_ms: spread(samples.map((s) => s.server)), fetch_ms: spread(samples.map((s) => s.fetch)), drawn_ms: spread(samples.map((s) => s.drawn)),
    painted_ms: spread(samples.map((s) => s.shown)), frame_floor_ms: spread(floor),
    page_cpu_ms_each: { script: each('ScriptDuration'), style: each('RecalcStyleDuration'), layout: each('LayoutDuration'), all: each('TaskDuration') },
  };
}

/** Compressed bytes of each page's own files. */
async function measureWeight(browser, server) {
  const out = {};
  for (const path of ['/', '/plan', '/fleet']) {
    const page = await browser.page(server.url + path);
    out[path] = await page.evaluate(() => [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
      .filter((e) => !e.name.includes('/api/')).reduce((sum, e) => sum + e.encodedBodySize, 0));
    await page.close();
  }
  return out;
}

const folder = mkdtempSync(join(tmpdir(), 'fogline-page-'));
const browser = await Browser.start();
const models = join(process.env.FOGLINE_SOURCE_DIR, 'models');
const empty = await Server.start('--models', models);
const result = { load_before: load() };
try {
  if (parts.includes('map')) {
    const full = await Server.start(`sqlite:${join(folder, 'many.db')}`);
    await full.say(`many ${count} 3`);
    result.count = count;
    result.api_ms = {};
    for (const question of ['hexagons?level=2', 'hexagons?level=9&box=-10,30,40,60&points=1500', 'timeline', 'detections?limit=60', 'stats', 'inventory']) {
      const times = [];
      for (let i = 0; i < 9; i += 1) {
        const began = performance.now();
        await (await fetch(`${full.url}/api/${question}`)).arrayBuffer();
        times.push(performance.now() - began);
      }
      result.api_ms[question] = Number(median(times).toFixed(1));
    }
    result.floor = await measureMap(browser, empty);
    result.full = await measureMap(browser, full);
    await full.stop();
  }
  if (parts.includes('plan')) {
    await modelRead(empty, 'litter');
    result.plan = await measurePlan(browser, empty);
  }
  if (parts.includes('weight')) result.weight = await measureWeight(browser, empty);
  if (parts.includes('live')) {
    result.still = await measureLive(browser, empty, 0);
    result.live = await measureLive(browser, empty, 100);
  }
  result.load_after = load();
  console.log(JSON.stringify(result, null, 1));
} finally {
  await browser.stop();
  await empty.stop();
  rmSync(folder, { recursive: true });
}

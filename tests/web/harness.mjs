// Starts the server and the browser of a test, and ends exactly what it started.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const source = process.env.FOGLINE_SOURCE_DIR ?? join(import.meta.dirname ?? '.', '../..');
const require = createRequire(join(source, 'web/package.json'));
const { chromium } = require('playwright-core');
export const axeSource = require('axe-core').source;

/** Waits on conditions are bounded by this; a slow machine passes, a broken page fails. */
export const patience = 60_000;

/** The test server over a store of its own: `await server.say('walk cam-1 40 47 8')` answers an object. */
export class Server {
  static async start(...args) {
    const server = new Server();
    const binary = process.env.FOGLINE_WEB_TEST_SERVER;
    server.child = spawn(binary, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    server.waiting = [];
    server.ended = new Promise((resolve) => { server.child.once('exit', resolve); });
    createInterface({ input: server.child.stdout }).on('line', (line) => server.waiting.shift()?.resolve(JSON.parse(line)));
    server.child.once('exit', (code) => {
      for (const one of server.waiting) one.reject(new Error(`the test server ended (${code})`));
    });
    const hello = await server.#answer();
    server.url = `http://127.0.0.1:${hello.port}`;
    server.epoch = hello.epoch;
    return server;
  }

  #answer() {
    return new Promise((resolve, reject) => { this.waiting.push({ resolve, reject }); });
  }

  async say(line) {
    const answer = this.#answer();
    this.child.stdin.write(`${line}\n`);
    const said = await answer;
    if (said.error) throw new Error(said.error);
    return said;
  }

  put(detection) { return this.say(`put ${JSON.stringify(detection)}`); }

  async stop() {
    this.child.stdin.end();
    await this.ended;
  }
}

/** One Chromium with a profile of its own. */
export class Browser {
  static async start(size = { width: 1440, height: 900 }) {
    const browser = new Browser();
    browser.profile = mkdtempSync(join(tmpdir(), 'fogline-chromium-'));
    const executablePath = process.env.FOGLINE_CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
    if (!executablePath) throw new Error('no Chromium found: run scripts/setup or set FOGLINE_CHROMIUM');
    browser.context = await chromium.launchPersistentContext(browser.profile, {
      executablePath,
      headless: true,
      chromiumSandbox: false,
      viewport: size,
      args: ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
        '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
    });
    return browser;
  }

  /** A page that fails the test on any error it reports; `page.problems` holds them. */
  async page(url, options = {}) {
    const page = await this.context.newPage();
    page.setDefaultTimeout(patience);
    page.problems = [];
    page.on('pageerror', (error) => page.problems.push(String(error)));
    // Interfaces that come and go while a test runs (containers, other tests' namespaces) are no fault of the page.
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('ERR_NETWORK_CHANGED')) page.problems.push(message.text());
    });
    if (options.size) await page.setViewportSize(options.size);
    if (options.media) await page.emulateMedia(options.media);
    await page.goto(url);
    if (options.ready !== false) await ready(page);
    return page;
  }

  async stop() {
    await this.context.close();
    rmSync(this.profile, { recursive: true, force: true });
  }

  /** Runs one test against a server and a page of its own; the page must have reported no error. */
  async at(path, { args = [], fill = async () => {}, options = {} }, test) {
    const server = await Server.start(...args);
    let page;
    try {
      await fill(server);
      page = await this.page(server.url + path, options);
      await test(page, server);
      assert.deepEqual(page.problems, []);
    } finally {
      await page?.close();
      await server.stop();
    }
  }
}

/** The page has drawn its first answer. */
export const ready = (page) => page.waitForFunction(() => document.documentElement.dataset.ready === 'true', null, { timeout: patience });

/** Until the map shows exactly `n` detections. */
export const shown = (page, n) =>
  page.waitForFunction((wanted) => Number(document.documentElement.dataset.shown) === wanted, n, { timeout: patience });

/** Until the server has read a model, which its first question starts. */
export async function modelRead(server, model) {
  for (const end = Date.now() + patience; ; ) {
    const response = await fetch(`${server.url}/api/network?model=${encodeURIComponent(model)}`);
    const said = await response.json();
    if (response.ok) return said;
    if (response.status !== 503 || Date.now() > end) throw new Error(said.error);
    await new Promise((resolve) => { setTimeout(resolve, 30); });
  }
}

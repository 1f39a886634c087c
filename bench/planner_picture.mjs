// README's picture of the planner, of the litter network:
//   node bench/planner_picture.mjs build/release/tests/web/web_test_server docs/images/planner.png
import { fileURLToPath } from 'node:url';

const [binary, out] = process.argv.slice(2);
if (!out) throw new Error('use: planner_picture.mjs TEST_SERVER PICTURE');
const source = fileURLToPath(new URL('..', import.meta.url));
process.env.FOGLINE_SOURCE_DIR ??= source;
process.env.FOGLINE_WEB_TEST_SERVER = binary;
const { Browser, modelRead, Server } = await import('../tests/web/harness.mjs');

const server = await Server.start('--models', `${source}/models`);
const browser = await Browser.start();
try {
  await modelRead(server, 'litter');
  const page = await browser.page(`${server.url}/plan?edge=raspberry-pi-4&up=2`, { size: { width: 1440, height: 1010 } });
  await page.waitForFunction(() => document.documentElement.dataset.graph && document.documentElement.dataset.planned !== undefined && document.querySelector('.net-line'));
  await page.screenshot({ path: out });
} finally {
  await browser.stop();
  await server.stop();
}

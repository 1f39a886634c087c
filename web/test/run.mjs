// Unit tests of the page's modules, without a browser: bundles test/*.test.ts and hands them to node's own test runner.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { coloursPlugin } from '../colours.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'fogline-web-'));
const tests = readdirSync(here).filter((name) => name.endsWith('.test.ts'));
try {
  await build({
    absWorkingDir: here,
    entryPoints: tests,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: ['es2022'],
    plugins: [coloursPlugin],
    outdir: out,
    outExtension: { '.js': '.mjs' },
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  const files = tests.map((name) => join(out, name.replace(/\.ts$/, '.mjs')));
  const run = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], {
    stdio: 'inherit',
    env: { ...process.env, TZ: 'UTC' },
  });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}

// How long the planner's graph takes to group and lay out networks, layer by layer:
//   node bench/graph_layout.mjs build/release/fogline MODEL.onnx…
// Each is read by `fogline inspect --html`; the layout runs in node as it does in a page, the median of seven after two, in processor
// time, so that other work on the machine does not count.
// Prints a line a model, and the machine's load average.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadavg, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = fileURLToPath(new URL('../web/', import.meta.url));
const { build } = createRequire(join(web, 'package.json'))('esbuild');
const folder = mkdtempSync(join(tmpdir(), 'fogline-layout-'));
try {
  const code = join(folder, 'layout.mjs');
  await build({
    stdin: { contents: "export { graphOf } from './src/network/graph'; export { layOut } from './src/network/layout'; export { sizes } from './src/network/drawing';", resolveDir: web, loader: 'ts' },
    bundle: true, format: 'esm', platform: 'node', outfile: code,
  });
  const { graphOf, layOut, sizes } = await import(code);
  const [binary, ...models] = process.argv.slice(2);
  for (const model of models) {
    const page = join(folder, 'page.html');
    execFileSync(binary, ['inspect', model, '--html', page], { stdio: 'ignore' });
    const network = JSON.parse(/id="network-data">(.*?)<\/script>/s.exec(readFileSync(page, 'utf8'))[1]);
    const times = [];
    let graph;
    for (let i = 0; i < 9; i += 1) {
      const began = process.cpuUsage();
      graph = graphOf(network, 'layers');
      layOut(graph, sizes);
      const { user, system } = process.cpuUsage(began);
      if (i >= 2) times.push((user + system) / 1000);
    }
    const median = times.sort((a, b) => a - b)[3];
    console.log(`${basename(model).padEnd(28)} ${String(graph.nodes.length).padStart(4)} nodes ${String(graph.edges.length).padStart(4)} ways ${median.toFixed(1).padStart(7)} ms`);
  }
  console.log(`load ${loadavg()[0].toFixed(1)}`);
} finally {
  rmSync(folder, { recursive: true });
}

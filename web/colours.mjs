// The colours that reports and pages share, out of src/report/colours.inc: for the style sheet (@import 'fogline-colours.css')
// and for what paints on a canvas (import { … } from 'fogline-colours').
import { readFileSync } from 'node:fs';

const row = /^FOGLINE_COLOUR\((\w+), "(#[0-9a-f]{6})", "(#[0-9a-f]{6})"\)/gm;

export function sharedColours() {
  const text = readFileSync(new URL('../src/report/colours.inc', import.meta.url), 'utf8');
  const [light, dark] = [{}, {}];
  for (const [, name, onLight, onDark] of text.matchAll(row)) {
    light[name] = onLight;
    dark[name] = onDark;
  }
  return { light, dark };
}

const properties = (colours) =>
  Object.entries(colours)
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(' ');

/** For esbuild. */
export const coloursPlugin = {
  name: 'fogline-colours',
  setup(build) {
    build.onResolve({ filter: /^fogline-colours(\.css)?$/ }, ({ path }) => ({
      path,
      namespace: 'fogline-colours',
    }));
    build.onLoad({ filter: /.*/, namespace: 'fogline-colours' }, ({ path }) => {
      const { light, dark } = sharedColours();
      if (!path.endsWith('.css')) return { contents: JSON.stringify({ light, dark }), loader: 'json' };
      const contents = `:root { ${properties(light)} }\n:root[data-theme='dark'] { ${properties(dark)} }\n`;
      return { contents, loader: 'css' };
    });
  },
};

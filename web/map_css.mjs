// The map library's style sheet without the parts that this map has not got: their pictures are two thirds of it.
import { readFileSync } from 'node:fs';

const absent =
  /-(popup|marker|user-location|ctrl-logo|ctrl-geolocate|ctrl-globe|ctrl-terrain|ctrl-fullscreen|ctrl-shrink|ctrl-compass|cooperative|pseudo-fullscreen|crosshair|attrib-button|compact|mobile-message|spin)|:fullscreen/;

/** The rules of a sheet as [selectors, body]; braces within quotes are text. */
function rulesOf(css) {
  const rules = [];
  let depth = 0;
  let start = 0;
  let open = 0;
  let quote = '';
  for (let i = 0; i < css.length; i += 1) {
    const c = css[i];
    if (quote !== '') {
      if (c === quote) quote = '';
    } else if (c === '"' || c === "'") {
      quote = c;
    } else if (c === '{') {
      if (depth === 0) open = i;
      depth += 1;
    } else if (c === '}') {
      depth -= 1;
      if (depth > 0) continue;
      rules.push([css.slice(start, open).trim(), css.slice(open + 1, i)]);
      start = i + 1;
    }
  }
  return rules;
}

/** What is left of a sheet: of selectors those that name nothing absent, of media queries those that hold something. */
export function presentCss(css) {
  return rulesOf(css)
    .map(([selectors, body]) => {
      if (selectors.startsWith('@media')) {
        const inner = presentCss(body);
        return inner && `${selectors}{${inner}}`;
      }
      const kept = selectors.split(',').filter((selector) => !absent.test(selector));
      return kept.length > 0 ? `${kept.join(',')}{${body}}` : '';
    })
    .join('');
}

/** For esbuild. */
export const mapCssPlugin = {
  name: 'map-css',
  setup(build) {
    build.onLoad({ filter: /maplibre-gl\.css$/ }, ({ path }) => ({
      contents: presentCss(readFileSync(path, 'utf8')),
      loader: 'css',
    }));
  },
};

// Charts to be taken away: as a drawing, as a picture, as figures.
import { h } from '../dom';
import { csvCell, save } from '../region_rows';

export type Cells = (string | number)[][];
/** The first line names the columns. */
export const csvText = (cells: Cells): string =>
  `${cells.map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`;

const kept = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-linecap',
  'stroke-linejoin',
  'stroke-opacity',
  'opacity',
  'font-size',
  'font-weight',
  'text-anchor',
  'paint-order',
  'shape-rendering',
];

/** A chart by itself: its style written into it, on the page's ground. */
export function drawingOf(svg: SVGElement): { text: string; width: number; height: number } {
  const copy = svg.cloneNode(true) as SVGElement;
  const [from, to] = [[...svg.querySelectorAll('*')], [...copy.querySelectorAll('*')]];
  from.forEach((element, i) => {
    const target = to[i]!;
    const style = getComputedStyle(element);
    for (const name of kept) target.setAttribute(name, style.getPropertyValue(name)); // a style of its own the policy forbids
    target.removeAttribute('class');
  });
  for (const hit of svg.querySelectorAll('.net-hit')) to[from.indexOf(hit)]!.remove();
  const [x, y, width, height] = svg.getAttribute('viewBox')!.split(' ').map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const margin = 14;
  const box = { width: width + 2 * margin, height: height + 2 * margin };
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('viewBox', `${x - margin} ${y - margin} ${box.width} ${box.height}`);
  copy.setAttribute('width', String(box.width));
  copy.setAttribute('height', String(box.height));
  copy.setAttribute('font-family', "system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif");
  copy.removeAttribute('class');
  copy.removeAttribute('aria-hidden');
  const ground = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  for (const [name, value] of Object.entries({ x: x - margin, y: y - margin, ...box }))
    ground.setAttribute(name, String(value));
  ground.setAttribute(
    'fill',
    getComputedStyle(document.documentElement).getPropertyValue('--surface').trim(),
  );
  copy.prepend(ground);
  return { text: new XMLSerializer().serializeToString(copy), ...box };
}

async function pictureOf(svg: SVGElement): Promise<Blob> {
  const { text, width, height } = drawingOf(svg);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = 2 * width;
  canvas.height = 2 * height;
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('the picture is too large'))),
      'image/png',
    );
  });
}

/** Buttons for a chart: `svg` where it stands (null: a table), `cells` its figures. */
export function exportButtons(
  name: string,
  title: string,
  svg: (() => SVGElement | null) | null,
  cells: () => Cells,
): HTMLElement {
  const button = (kind: string, take: () => void): HTMLElement =>
    h('button', { class: 'link', 'aria-label': `${title} as ${kind}`, onclick: take }, kind);
  const drawing = (then: (found: SVGElement) => void) => () => {
    const found = svg?.();
    if (found) then(found);
  };
  return h(
    'span',
    { class: 'export' },
    svg &&
      button(
        'SVG',
        drawing((found) => save(`${name}.svg`, 'image/svg+xml', drawingOf(found).text)),
      ),
    svg &&
      button(
        'PNG',
        drawing((found) => void pictureOf(found).then((blob) => save(`${name}.png`, 'image/png', blob))),
      ),
    button('CSV', () => save(`${name}.csv`, 'text/csv', csvText(cells()))),
  );
}

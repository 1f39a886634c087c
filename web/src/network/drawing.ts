// The network as a picture: boxes, ways as wide as what they carry, and the fog line over them. Data runs to the right.
import { h, s } from '../dom';
import { bytes as human, short } from '../format';
import { fogLine, middleOf } from './fog';
import type { Division, Graph, GraphNode } from './graph';
import type { Layout, Point, Sizes } from './layout';

export const sizes: Sizes = { along: 26, across: 136, gap: 16, beside: 14 };
const pad = { side: 10, top: 44, bottom: 12 };

const f = (value: number): string => value.toFixed(1);

/** How wide a way of so many bytes is drawn where the widest carries `most`: by logarithm, three decades down to a thread. */
export function widthOf(bytes: number, most: number): number {
  const share = bytes <= 0 ? 0 : 1 + Math.log10(bytes / most) / 3;
  return 1.5 + 16.5 * Math.min(1, Math.max(0, share));
}

/** As much of a box's words as fits on it. */
export function boxWords({ title, shape }: GraphNode): [title: string, shape: string] {
  const room = sizes.across - 14;
  const [bold, plain] = [7.1, 6.2]; // a letter's width, about
  const tight = shape.replaceAll(' ', '');
  const most = Math.floor(room / bold);
  if (title.length > most) return [`${title.slice(0, most - 1)}…`, ''];
  return [title, title.length * bold + 6 + tight.length * plain <= room ? tight : ''];
}

function explained(node: GraphNode, layerNames: string[]): string {
  const lines = [node.title + (node.shape === '' ? '' : `: ${node.shape}`)];
  if (node.layers.length > 1)
    lines.push(`${node.layers.length} layers, ${layerNames[0]} to ${layerNames.at(-1)}`);
  else if (node.layers.length === 1) lines.push(layerNames[0]!);
  if (node.madds > 0) lines.push(`${short(node.madds)} MAdds`);
  if (node.params > 0) lines.push(`${short(node.params)} parameters`);
  return lines.join('\n');
}

export class Drawing {
  readonly svg: SVGElement;
  readonly width: number;
  private readonly height: number;
  private readonly boxes: SVGElement[];
  private readonly ways: SVGElement[];
  private readonly fog = s('g', {});
  private readonly gates = s('g', {});
  private readonly ghost = s('path', { class: 'net-ghost' });
  private readonly ground = s('g', {});

  constructor(
    graph: Graph,
    private readonly layout: Layout,
    layerNames: string[],
  ) {
    this.width = layout.along + 2 * pad.side;
    this.height = layout.across.to - layout.across.from + pad.top + pad.bottom;
    const most = Math.max(1, ...graph.edges.map((e) => e.bytes));
    this.ways = graph.edges.map((edge, e) => {
      const wide = widthOf(edge.bytes, most);
      const d = this.curve(layout.edges[e]!);
      return s(
        'g',
        { class: 'net-way', 'data-edge': e },
        s('path', { d, 'stroke-width': f(wide), class: 'net-flow' }),
        s('path', { d, 'stroke-width': f(Math.max(wide, 22)), class: 'net-hit' }),
        s(
          'title',
          {},
          `${human(edge.bytes)}${edge.tensors.length > 1 ? `, ${edge.tensors.length} tensors` : ''}`,
        ),
      );
    });
    const mostWork = Math.max(1, ...graph.nodes.map((n) => n.madds));
    this.boxes = graph.nodes.map((node, i) =>
      this.box(
        node,
        layout.nodes[i]!,
        node.madds / mostWork,
        explained(
          node,
          node.layers.map((l) => layerNames[l]!),
        ),
      ),
    );
    this.svg = s(
      'svg',
      {
        class: 'net-svg',
        viewBox: `0 0 ${f(this.width)} ${f(this.height)}`,
        width: f(this.width),
        height: f(this.height),
        'aria-hidden': 'true',
      },
      this.ground,
      ...this.ways,
      this.ghost,
      this.fog,
      ...this.boxes, // over the line: it may run through one
      this.gates,
    );
  }

  private x = (p: Point): number => p.along + pad.side;
  private y = (p: Point): number => p.across - this.layout.across.from + pad.top;

  private curve(way: Point[]): string {
    let d = `M${f(this.x(way[0]!))} ${f(this.y(way[0]!))}`;
    for (let i = 1; i < way.length; i += 1) {
      const middle = f((this.x(way[i - 1]!) + this.x(way[i]!)) / 2);
      d += `C${middle} ${f(this.y(way[i - 1]!))} ${middle} ${f(this.y(way[i]!))} ${f(this.x(way[i]!))} ${f(this.y(way[i]!))}`;
    }
    return d;
  }

  /** The same across the flow. */
  private curtain(line: Point[]): string {
    let d = `M${f(this.x(line[0]!))} ${f(this.y(line[0]!))}`;
    for (let i = 1; i < line.length; i += 1) {
      const middle = f((this.y(line[i - 1]!) + this.y(line[i]!)) / 2);
      d += `C${f(this.x(line[i - 1]!))} ${middle} ${f(this.x(line[i]!))} ${middle} ${f(this.x(line[i]!))} ${f(this.y(line[i]!))}`;
    }
    return d;
  }

  private box(node: GraphNode, at: Point, work: number, words: string): SVGElement {
    const left = this.x(at) - sizes.along / 2;
    const top = this.y(at) - sizes.across / 2;
    const bottom = top + sizes.across;
    const tall = Math.sqrt(work) * (sizes.across - 8);
    const [title, shape] = boxWords(node);
    const rect = (x: number, width: number, kind: string): SVGElement =>
      s('rect', { x: f(x), y: f(top), width: f(width), height: sizes.across, rx: 6, class: kind });
    return s(
      'g',
      { class: `net-box ${node.kind}` },
      rect(left, sizes.along, 'net-ground'),
      rect(left, sizes.along, 'net-fill'),
      s('rect', {
        x: f(left + 3),
        y: f(bottom - 4 - tall),
        width: 3,
        height: f(tall),
        rx: 1.5,
        class: 'net-work',
      }),
      s(
        'text',
        { transform: `translate(${f(left + 18)} ${f(bottom - 8)}) rotate(-90)` },
        s('tspan', { class: 'net-title' }, title),
        shape === '' ? null : s('tspan', { dx: 6, class: 'net-shape' }, shape),
      ),
      s('title', {}, words),
    );
  }

  /** Who runs what, and the line with its words; `null` where nobody has said. */
  divide(division: Division | null, words: string): void {
    this.boxes.forEach((box, i) => {
      box.dataset['side'] = division?.sides[i] ?? '';
    });
    const crossing = new Set(division?.crossing);
    this.ways.forEach((way, e) => {
      way.classList.toggle('sent', crossing.has(e));
    });
    const line = division === null ? [] : fogLine(this.layout, division, 200);
    if (line.length === 0 || division === null) {
      this.fog.replaceChildren();
      this.gates.replaceChildren();
      this.ground.replaceChildren();
      return;
    }
    const inside = line.map((p) => ({
      along: p.along,
      across: Math.min(
        this.layout.across.to + pad.bottom,
        Math.max(this.layout.across.from - pad.top + 24, p.across),
      ),
    }));
    const d = this.curtain(inside);
    const [top, bottom] = [inside[0]!, inside.at(-1)!];
    const close = (x: number): string => `${d}L${f(x)} ${f(this.y(bottom))}L${f(x)} ${f(this.y(top))}Z`;
    this.ground.replaceChildren(
      s('path', { d: close(0), class: 'net-side device' }),
      s('path', { d: close(this.width), class: 'net-side cloud' }),
    );
    const gates = division.crossing.map((e) => {
      const at = middleOf(this.layout.edges[e]!);
      return s('circle', { cx: f(this.x(at)), cy: f(this.y(at)), r: 4.5, class: 'net-gate' });
    });
    this.fog.replaceChildren(
      s('path', { d, class: 'net-mist' }),
      s('path', { d, class: 'net-line' }),
      ...this.flag(this.x(top), words),
    );
    this.gates.replaceChildren(...gates);
  }

  /** The line's words in a pill above it, and whose side is whose beside that. */
  private flag(x: number, words: string): SVGElement[] {
    const wide = words.length * 7.4 + 22;
    const at = Math.min(Math.max(x, wide / 2 + 2), this.width - wide / 2 - 2);
    const text = (tx: number, anchor: string, kind: string, said: string): SVGElement =>
      s('text', { x: f(tx), y: 15, 'text-anchor': anchor, class: kind }, said);
    const sides: SVGElement[] = [];
    if (at - wide / 2 > 70) sides.push(text(at - wide / 2 - 10, 'end', 'net-word', '← device'));
    if (this.width - at - wide / 2 > 70) sides.push(text(at + wide / 2 + 10, 'start', 'net-word', 'cloud →'));
    return [
      s('rect', { x: f(at - wide / 2), y: 0, width: f(wide), height: 22, rx: 11, class: 'net-flag' }),
      text(at, 'middle', 'net-flag-text', words),
      ...sides,
    ];
  }

  /** Another line, faint: where the plan's own is while somebody looks elsewhere. */
  ghostAt(division: Division | null): void {
    const line = division === null ? [] : fogLine(this.layout, division, pad.bottom);
    if (line.length === 0) this.ghost.removeAttribute('d');
    else this.ghost.setAttribute('d', this.curtain(line));
  }

  /** Where the line is, in pixels from the left. */
  placeOf(division: Division): number | null {
    const [first] = fogLine(this.layout, division, 0);
    return first === undefined ? null : this.x(first);
  }
}

export const key = (): HTMLElement =>
  h(
    'p',
    { class: 'net-key' },
    h('span', {}, h('i', { class: 'net-key-device', 'aria-hidden': 'true' }), 'on the device'),
    h('span', {}, h('i', { class: 'net-key-cloud', 'aria-hidden': 'true' }), 'in the cloud'),
    h(
      'span',
      {},
      h('i', { class: 'net-key-sent', 'aria-hidden': 'true' }),
      'sent (wider: more bytes, by logarithm)',
    ),
    h('span', {}, h('i', { class: 'net-key-work', 'aria-hidden': 'true' }), 'work of a box'),
  );

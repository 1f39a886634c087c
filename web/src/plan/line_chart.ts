// The network with the line drawn through it: computing, tensors and latency, cut by cut on one axis. Few elements with
// long paths, so that a new answer is a handful of attributes and fits a frame.
import { h, s } from '../dom';
import { bytes as human, millis } from '../format';
import { type Candidate, type CutId, type Network, placeOf, type Plan } from './answer';
import { linear, logarithmic, size } from './scale';

const parts: { key: string; of: (c: Candidate) => number }[] = [
  { key: 'edge', of: (c) => c.latency_ms.edge },
  { key: 'encode', of: (c) => c.latency_ms.encode },
  { key: 'network', of: (c) => c.latency_ms.uplink + c.latency_ms.downlink },
  { key: 'decode', of: (c) => c.latency_ms.decode },
  { key: 'cloud', of: (c) => c.latency_ms.cloud },
];
/** A tensor too large for the link would flatten every other bar. */
const mostOfBest = 5;

export class LineChart {
  readonly root: HTMLElement;
  private readonly svg = s('svg', { class: 'line-chart', 'aria-hidden': 'true' });
  private readonly paths: Record<string, SVGElement> = {};
  private readonly words = s('g', {});
  private readonly spoken = new Map<string, SVGElement>();
  private readonly fog = s('g', { class: 'fog' });
  private network: Network | null = null;
  private work: number[] = []; // MAdds between a cut and the next, by slot
  private slotOfLayer: number[] = [];
  private candidates: Candidate[] = [];
  private plan: Plan | null = null;
  private width = 800;
  private readonly left = 58;
  private readonly right = 14;

  constructor(private readonly host: { look: (cut: CutId | null) => void; choose: (cut: CutId) => void }) {
    for (const name of [
      'grid',
      'work',
      'work-edge',
      'work-cloud',
      'tensor',
      'sent',
      ...parts.map((p) => p.key),
      'ruled-out',
      'over',
      'chosen',
    ]) {
      this.paths[name] = s('path', { class: `c-${name}` });
    }
    const p = this.paths;
    this.svg.append(
      p['grid']!,
      p['work']!,
      p['work-edge']!,
      p['work-cloud']!,
      p['tensor']!,
      p['sent']!,
      ...parts.map((part) => p[part.key]!),
      p['ruled-out']!,
      p['over']!,
      this.fog,
      p['chosen']!,
      this.words,
    );
    this.root = h(
      'div',
      {
        class: 'chart line-box',
        tabindex: 0,
        role: 'slider',
        'aria-label': 'Cut to look at',
        'aria-valuemin': 0,
        'aria-valuemax': 0,
        'aria-valuenow': 0,
      },
      this.svg,
    );
    this.root.addEventListener('pointermove', (event) => this.point((event as PointerEvent).offsetX));
    this.root.addEventListener('pointerdown', (event) => this.point((event as PointerEvent).offsetX));
    this.root.addEventListener('click', () => this.choose());
    this.root.addEventListener('pointerleave', () => {
      if (document.activeElement !== this.root) this.inspect(null);
    });
    this.root.addEventListener('blur', () => this.inspect(null));
    this.root.addEventListener('keydown', (event) => this.key(event as KeyboardEvent));
    new ResizeObserver(() => {
      const width = this.root.clientWidth;
      if (width !== this.width && width > 0) {
        this.width = width;
        this.draw();
      }
    }).observe(this.root);
  }

  setNetwork(network: Network): void {
    this.network = network;
    // A layer belongs to the slot before the first cut that has it on the edge.
    this.slotOfLayer = network.layers.map(() => network.cuts.length - 1);
    for (let i = network.cuts.length - 1; i >= 0; i -= 1) {
      for (const [first, last] of network.cuts[i]!.edge_layers) {
        for (let layer = first; layer <= last; layer += 1) this.slotOfLayer[layer] = i;
      }
    }
    this.work = network.cuts.map(() => 0);
    network.layers.forEach((layer, i) => {
      this.work[this.slotOfLayer[i]!]! += layer.madds;
    });
  }

  show(plan: Plan | null, candidates: Candidate[]): void {
    this.plan = plan;
    this.candidates = candidates;
    this.draw();
  }

  // ---- which cut is looked at

  private index: number | null = null;

  private x(i: number): number {
    return (
      this.left + ((i + 0.5) * (this.width - this.left - this.right)) / Math.max(1, this.candidates.length)
    );
  }
  private point(x: number): void {
    const i = Math.floor(((x - this.left) / (this.width - this.left - this.right)) * this.candidates.length);
    this.inspect(i >= 0 && i < this.candidates.length ? i : null);
  }
  private key(event: KeyboardEvent): void {
    const best = this.bestIndex();
    const now = this.index ?? Math.max(0, best);
    const moves: Record<string, number> = {
      ArrowRight: now + 1,
      ArrowLeft: now - 1,
      ArrowUp: now + 1,
      ArrowDown: now - 1,
      PageUp: now + 10,
      PageDown: now - 10,
      Home: 0,
      End: this.candidates.length - 1,
    };
    if (event.key === 'Escape') {
      this.inspect(null);
      return;
    }
    if (event.key === 'Enter') {
      this.choose();
      return;
    }
    const next = moves[event.key];
    if (next === undefined || this.candidates.length === 0) return;
    event.preventDefault();
    this.inspect(
      Math.min(
        this.candidates.length - 1,
        Math.max(0, this.index === null && event.key.startsWith('Arrow') ? now : next),
      ),
    );
  }
  private inspect(i: number | null): void {
    if (i === this.index) return;
    this.index = i;
    this.mark();
    this.host.look(i === null ? null : this.candidates[i]!.cut);
  }
  private choose(): void {
    if (this.index !== null) this.host.choose(this.candidates[this.index]!.cut);
  }
  private bestIndex(): number {
    return this.plan === null ? -1 : this.candidates.findIndex((c) => c.cut === this.plan!.best.cut);
  }

  // ---- drawing

  private mark(): void {
    const i = this.index;
    const c = i === null ? undefined : this.candidates[i];
    const step = (this.width - this.left - this.right) / Math.max(1, this.candidates.length);
    this.paths['chosen']!.setAttribute(
      'd',
      c === undefined || i === null
        ? ''
        : `M${(this.x(i) - Math.max(step, 5) / 2).toFixed(1)} 30h${Math.max(step, 5).toFixed(1)}V${this.height - 20}h${(-Math.max(step, 5)).toFixed(1)}z`,
    );
    const at = i ?? Math.max(0, this.bestIndex());
    const said = this.candidates[at];
    this.root.setAttribute('aria-valuemax', String(Math.max(0, this.candidates.length - 1)));
    this.root.setAttribute('aria-valuenow', String(at));
    if (said && this.network) {
      this.root.setAttribute(
        'aria-valuetext',
        `${placeOf(said, this.network)} as ${said.codec}: ${millis(said.latency_ms.total)}, ` +
          `${human(Math.round(said.bytes))}${said.violates.length > 0 ? `, ruled out by ${said.violates.join(' and ')}` : ''}`,
      );
    }
  }

  private height = 400;

  private draw(): void {
    const network = this.network;
    const n = this.candidates.length;
    if (network === null || n === 0) return;
    const narrow = this.width < 560;
    const workTop = 36;
    const workHeight = narrow ? 38 : 52;
    const tensorTop = workTop + workHeight + 16;
    const tensorHeight = narrow ? 56 : 72;
    const barTop = tensorTop + tensorHeight + 18;
    const barHeight = narrow ? 150 : 210;
    const floor = barTop + barHeight;
    this.height = floor + 26;
    this.svg.setAttribute('viewBox', `0 0 ${this.width} ${this.height}`);
    this.svg.setAttribute('height', String(this.height));
    const step = (this.width - this.left - this.right) / n;
    const bar = Math.max(1.5, Math.min(step * 0.78, 26));
    const f = (value: number): string => value.toFixed(1);
    const d: Record<string, string> = {};
    for (const name of Object.keys(this.paths)) d[name] = '';

    // Computing between the cuts, on the side where the plan puts it.
    const best = this.plan?.best;
    const onEdge = new Set<number>();
    for (const [first, last] of best?.edge_layers ?? [])
      for (let layer = first; layer <= last; layer += 1) onEdge.add(layer);
    const edgeWork = this.work.map(() => 0);
    network.layers.forEach((layer, i) => {
      if (onEdge.has(i)) edgeWork[this.slotOfLayer[i]!]! += layer.madds;
    });
    const mostWork = Math.max(1, ...this.work);
    for (let i = 1; i < network.cuts.length; i += 1) {
      const x = this.x(i) - step + (step - Math.min(bar, step * 0.9)) / 2;
      const tall = Math.sqrt(this.work[i]! / mostWork) * workHeight;
      const share = this.work[i]! > 0 ? edgeWork[i]! / this.work[i]! : 0;
      const w = Math.min(bar, step * 0.9);
      if (tall < 0.3) continue;
      const part = (height: number, from: number): string =>
        height < 0.1
          ? ''
          : `M${f(x + step / 2)} ${f(workTop + workHeight - from)}h${f(w)}v${f(-height)}h${f(-w)}z`;
      if (!best) {
        d['work'] += part(tall, 0);
        continue;
      }
      d['work-edge'] += part(tall * share, 0);
      d['work-cloud'] += part(tall * (1 - share), tall * share);
    }

    // The tensors as they are, and as the best codec sends them.
    const sizes = this.candidates.map(
      (c) => network.cuts[typeof c.cut === 'number' ? c.cut : -1]?.bytes ?? c.bytes,
    );
    const scale = logarithmic(
      Math.max(8, Math.min(...sizes.filter((v) => v > 0), ...this.candidates.map((c) => c.bytes || 8))) / 1.5,
      Math.max(...sizes, 1000) * 1.2,
      tensorTop + tensorHeight,
      tensorTop,
      1,
    );
    let outline = '';
    sizes.forEach((large, i) => {
      const x = this.x(i) - step / 2;
      outline += `${i === 0 ? `M${f(x)} ${f(tensorTop + tensorHeight)}V` : 'V'}${f(Math.min(scale.at(Math.max(large, scale.low)), tensorTop + tensorHeight))}H${f(x + step)}`;
    });
    d['tensor'] = `${outline}V${f(tensorTop + tensorHeight)}z`;
    this.candidates.forEach((c, i) => {
      if (c.bytes > 0) d['sent'] += `M${f(this.x(i))} ${f(scale.at(c.bytes))}h0`;
    });

    // Where the time goes.
    const bestTotal = best?.latency_ms.total ?? Math.min(...this.candidates.map((c) => c.latency_ms.total));
    const most = Math.min(
      Math.max(...this.candidates.map((c) => c.latency_ms.total)),
      mostOfBest * bestTotal,
    );
    const y = linear(0, most * 1.04, floor, barTop, 4);
    this.candidates.forEach((c, i) => {
      const x = f(this.x(i) - bar / 2);
      const total = c.latency_ms.total;
      const shrink = total > most ? most / total : 1;
      let sum = 0;
      for (const part of parts) {
        const value = part.of(c) * shrink;
        if (value <= 0) continue;
        const from = y.at(sum);
        sum += value;
        const to = y.at(sum);
        if (from - to < 0.05) continue;
        d[part.key] += `M${x} ${f(from)}h${f(bar)}V${f(to)}h${f(-bar)}z`;
      }
      if (total > most) d['over'] += `M${f(this.x(i) - bar / 2 - 0.5)} ${f(barTop + 9)}l${f(bar + 1)} -5`;
      if (c.violates.length > 0)
        d['ruled-out'] +=
          `M${f(this.x(i) - bar / 2 - 0.5)} ${f(floor)}h${f(bar + 1)}V${f(y.at(sum) - 1)}h${f(-bar - 1)}z`;
    });
    for (const tick of y.ticks) d['grid'] += `M${this.left} ${f(y.at(tick))}H${this.width - this.right}`;
    for (const tick of scale.ticks)
      d['grid'] += `M${this.left} ${f(scale.at(tick))}H${this.width - this.right}`;
    for (const [name, path] of Object.entries(this.paths))
      if (name !== 'chosen') path.setAttribute('d', d[name]!);
    this.paths['sent']!.setAttribute('stroke-width', f(Math.max(2.5, Math.min(6, bar * 0.7))));

    this.drawWords(
      y.ticks.map((tick) => [y.at(tick), tick] as const),
      scale.ticks.map((tick) => [scale.at(tick), tick] as const),
      { workTop, workHeight, tensorTop, tensorHeight, barTop, floor, step },
    );
    this.drawFog(best ? y.at(Math.min(bestTotal, most)) - 2 : floor, workTop);
    this.mark();
  }

  private drawWords(
    times: (readonly [number, number])[],
    sizes: (readonly [number, number])[],
    at: {
      workTop: number;
      workHeight: number;
      tensorTop: number;
      tensorHeight: number;
      barTop: number;
      floor: number;
      step: number;
    },
  ): void {
    // Text that stays is moved, not laid out anew: that costs more than all the bars.
    const said = new Map<string, number>(); // the same words may stand at several places
    const text = (x: number, y: number, anchor: string, kind: string, words: string): SVGElement => {
      const place = `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
      const same = `${kind} ${anchor} ${words}`;
      const nth = said.get(same) ?? 0;
      said.set(same, nth + 1);
      const key = `${nth} ${same}`;
      let element = this.spoken.get(key);
      if (!element) {
        if (this.spoken.size > 400) this.spoken.clear();
        element = s('text', { 'text-anchor': anchor, class: kind }, words);
        this.spoken.set(key, element);
      }
      if (element.getAttribute('transform') !== place) element.setAttribute('transform', place);
      return element;
    };
    const words: SVGElement[] = [
      text(0, at.workTop + at.workHeight / 2 + 4, 'start', 'row-name', 'Work'),
      text(0, at.tensorTop - 5, 'start', 'row-name', 'Tensor'),
      text(0, at.barTop - 6, 'start', 'row-name', 'Latency'),
      ...times.map(([y, tick]) => text(this.left - 6, y + 4, 'end', 'tick', tick === 0 ? '0' : millis(tick))),
      ...sizes.map(([y, tick]) => text(this.left - 6, y + 4, 'end', 'tick', size(tick))),
    ];
    // Names under the bars where there is room for them, the ends always.
    let free = -Infinity;
    const last = this.candidates.length - 1;
    const end = this.x(last) - 34;
    this.candidates.forEach((c, i) => {
      const name = i === 0 ? 'input' : i === last ? 'output' : (c.alias ?? '');
      const width = name.length * 6.4 + 10;
      const x = this.x(i);
      const mayStand =
        i === 0 || i === last || (c.alias !== null && x - width / 2 > free && x + width / 2 < end);
      if (!mayStand) return;
      words.push(
        text(
          i === 0 ? Math.max(x - 8, this.left) : i === last ? Math.min(x + 8, this.width) : x,
          at.floor + 17,
          i === 0 ? 'start' : i === last ? 'end' : 'middle',
          'tick',
          name,
        ),
      );
      free = i === 0 ? this.left + 34 : x + width / 2;
    });
    const shown = new Set(words);
    for (const old of [...this.words.children]) if (!shown.has(old as SVGElement)) old.remove();
    for (const word of words) if (word.parentNode !== this.words) this.words.append(word);
  }

  private drawFog(floor: number, top: number): void {
    const i = this.bestIndex();
    if (i < 0 || this.plan === null || this.network === null) {
      this.fog.dataset['key'] = '';
      this.fog.replaceChildren();
      return;
    }
    const x = this.x(i);
    const best = this.plan.best;
    const label = `${placeOf(best, this.network)} · ${best.codec === 'verdict' ? 'the verdict' : best.codec} · ${human(Math.round(best.bytes))}`;
    const wide = label.length * 7 + 20;
    const from = Math.min(Math.max(x - wide / 2, 0), this.width - wide);
    const key = `${label} ${x} ${top} ${floor} ${this.width}`;
    if (this.fog.dataset['key'] === key) return;
    this.fog.dataset['key'] = key;
    this.fog.replaceChildren(
      s('rect', { class: 'fog-band', x: (x - 9).toFixed(1), y: 26, width: 18, height: floor - 26 }),
      s('path', { class: 'fog-line', d: `M${x.toFixed(1)} 24V${floor}` }),
      s('rect', { class: 'fog-label', x: from.toFixed(1), y: 2, width: wide, height: 22, rx: 11 }),
      s(
        'text',
        { class: 'fog-text', x: (from + wide / 2).toFixed(1), y: 17, 'text-anchor': 'middle' },
        label,
      ),
      s(
        'text',
        { class: 'fog-side', x: (x - 14).toFixed(1), y: (top + 5).toFixed(1), 'text-anchor': 'end' },
        i > 4 ? '◂ device' : '',
      ),
      s(
        'text',
        { class: 'fog-side', x: (x + 14).toFixed(1), y: (top + 5).toFixed(1) },
        i < this.candidates.length - 5 ? 'cloud ▸' : '',
      ),
    );
  }
}

// Two wishes at once: every candidate as a dot, those that no other beats in both as a line (the paper's figure 10).
import { clear, h, s } from '../dom';
import { mechanismColour } from '../palette';
import { type CutId, mechanismOf, type Network, placeOf, type Plan } from './answer';
import { figure, linear, logarithmic, type Scale } from './scale';

const axis = (low: number, high: number, from: number, to: number): Scale =>
  low > 0 && high / low > 6
    ? logarithmic(low / 1.15, high * 1.15, from, to, 5)
    : linear(
        Math.max(0, low - (high - low || high || 1) * 0.12),
        high + (high - low || high || 1) * 0.12,
        from,
        to,
        5,
      );

export class ScatterChart {
  readonly root: HTMLElement;
  private readonly svg = s('svg', { 'aria-hidden': 'true' });
  private width = 560;
  private last: [Plan, Network, string] | null = null;

  private spots: { x: number; y: number; cut: CutId; words: string[] }[] = [];
  private readonly tip = h('div', { class: 'tip', 'aria-hidden': 'true' });

  constructor(private readonly choose: (cut: CutId) => void) {
    this.root = h('div', { class: 'chart wishes' }, this.svg, this.tip);
    this.tip.hidden = true;
    this.root.addEventListener('pointermove', (event) => this.point(event));
    this.root.addEventListener('pointerleave', () => this.point(null));
    this.root.addEventListener('click', (event) => {
      const spot = this.nearest(event);
      if (spot) this.choose(spot.cut);
    });
    new ResizeObserver(() => {
      const width = this.root.clientWidth;
      if (width !== this.width && width > 0) {
        this.width = width;
        if (this.last) this.show(...this.last);
      }
    }).observe(this.root);
  }

  private nearest(event: MouseEvent): (typeof this.spots)[number] | null {
    const box = this.svg.getBoundingClientRect();
    const away = (spot: { x: number; y: number }): number =>
      Math.hypot(spot.x - (event.clientX - box.left), spot.y - (event.clientY - box.top));
    const near = this.spots.reduce<(typeof this.spots)[number] | null>(
      (best, spot) => (best && away(best) <= away(spot) ? best : spot),
      null,
    );
    return near && away(near) < 18 ? near : null;
  }

  /** What the dot under the pointer is. */
  private point(event: PointerEvent | null): void {
    const spot = event && this.nearest(event);
    this.tip.hidden = !spot;
    this.root.classList.toggle('near', spot !== null);
    if (!spot) return;
    clear(this.tip, h('b', {}, spot.words[0]), ...spot.words.slice(1).flatMap((words) => [h('br'), words]));
    const left = spot.x > this.width / 2 ? spot.x - this.tip.offsetWidth - 12 : spot.x + 12;
    this.tip.style.transform = `translate(${left}px, ${Math.max(0, spot.y - 20)}px)`;
  }

  show(plan: Plan, network: Network, unit: string): void {
    this.last = [plan, network, unit];
    const height = 250;
    const box = { left: 52, right: this.width - 14, top: 18, bottom: height - 34 };
    this.svg.setAttribute('viewBox', `0 0 ${this.width} ${height}`);
    this.svg.setAttribute('height', String(height));
    const dots = plan.scatter.filter(
      (dot): dot is [(typeof dot)[0], string, number, number, boolean] => dot[2] !== null && dot[3] !== null,
    );
    const best = dots.find((dot) => dot[0] === plan.best.cut && dot[1] === plan.best.codec);
    const rivals = plan.rivals
      .filter((r) => r.key === 'edge-only' || r.key === 'cloud-only')
      .map((r) => dots.find((dot) => dot[0] === r.cut && dot[1] === r.codec))
      .filter((dot) => dot !== undefined);
    // What is far from anything useful only squeezes the rest into a corner; the extremes always show.
    const useful = [
      ...plan.pareto.map((p) => [p.x, p.y] as const),
      ...[best, ...rivals].filter((dot) => dot !== undefined).map((dot) => [dot![2], dot![3]] as const),
    ];
    const mostX = 2 * Math.max(...useful.map((p) => p[0]));
    const mostY = 2 * Math.max(...useful.map((p) => p[1]));
    const shown = dots.filter((dot) => dot[2] <= mostX && dot[3] <= mostY);
    const x = axis(
      Math.min(...shown.map((dot) => dot[2])),
      Math.max(...shown.map((dot) => dot[2])),
      box.left,
      box.right,
    );
    const y = axis(
      Math.min(...shown.map((dot) => dot[3])),
      Math.max(...shown.map((dot) => dot[3])),
      box.bottom,
      box.top,
    );
    const aliases = new Map(plan.candidates.map((c) => [c.cut, c.alias]));
    this.spots = shown.map(([cut, codec, atX, atY, allowed]) => ({
      x: x.at(atX),
      y: y.at(atY),
      cut,
      words: [
        `${placeOf({ cut, alias: aliases.get(cut) ?? null }, network)} · ${codec}`,
        `${figure(atX)} ms`,
        `${figure(atY)} ${unit}`,
        ...(allowed ? [] : ['ruled out']),
      ],
    }));
    const nodes: SVGElement[] = [];
    const text = (px: number, py: number, anchor: string, kind: string, words: string): void => {
      nodes.push(
        s('text', { x: px.toFixed(1), y: py.toFixed(1), 'text-anchor': anchor, class: kind }, words),
      );
    };
    for (const tick of y.ticks) {
      nodes.push(s('path', { d: `M${box.left} ${y.at(tick).toFixed(1)}H${box.right}`, class: 'c-grid' }));
      text(box.left - 6, y.at(tick) + 4, 'end', 'tick', figure(tick));
    }
    for (const tick of x.ticks) text(x.at(tick), box.bottom + 16, 'middle', 'tick', figure(tick));
    text((box.left + box.right) / 2, height - 3, 'middle', 'tick', 'latency, ms');
    text(0, 10, 'start', 'tick', unit);
    const paths = new Map<string, string>();
    for (const dot of shown) {
      const key = `${mechanismOf(dot[0], network)}${dot[4] ? '' : ' ruled-out'}`;
      paths.set(key, `${paths.get(key) ?? ''}M${x.at(dot[2]).toFixed(1)} ${y.at(dot[3]).toFixed(1)}h0`);
    }
    for (const [key, d] of paths)
      nodes.push(
        s('path', {
          d,
          class: `dots ${key.includes('ruled') ? 'ruled-out' : ''}`,
          stroke: mechanismColour(key.split(' ')[0]!),
        }),
      );
    if (plan.pareto.length > 0) {
      const points = plan.pareto.map((p) => `${x.at(p.x).toFixed(1)} ${y.at(p.y).toFixed(1)}`);
      nodes.push(s('path', { d: `M${points.join('L')}`, class: 'front' }));
      nodes.push(s('path', { d: points.map((p) => `M${p}h0`).join(''), class: 'front-dots' }));
    }
    // A name goes where no other is: to the right and above if it can.
    const taken: { x: number; y: number; wide: number }[] = [];
    const name = (dot: (typeof dots)[number], words: string): void => {
      const wide = words.length * 7;
      const spots = [
        [10, -7],
        [-10 - wide, -7],
        [10, 17],
        [-10 - wide, 17],
        [10, -23],
        [10, 33],
      ]
        .map(([dx, dy]) => ({ x: x.at(dot[2]) + dx!, y: y.at(dot[3]) + dy!, wide }))
        .filter(
          (spot) =>
            spot.x >= box.left &&
            spot.x + wide <= this.width &&
            spot.y > box.top - 4 &&
            spot.y < box.bottom + 2,
        );
      const spot =
        spots.find(
          (one) =>
            !taken.some(
              (other) =>
                Math.abs(one.y - other.y) < 14 && one.x < other.x + other.wide && other.x < one.x + wide,
            ),
        ) ?? spots[0];
      if (!spot) return;
      taken.push(spot);
      text(spot.x, spot.y, 'start', 'tick strong', words);
    };
    if (best) name(best, placeOf(plan.best, network));
    for (const dot of rivals) if (dot !== best) name(dot!, mechanismOf(dot![0], network));
    if (best) {
      nodes.push(
        s('circle', {
          cx: x.at(best[2]).toFixed(1),
          cy: y.at(best[3]).toFixed(1),
          r: 6.5,
          class: 'here-dot',
        }),
      );
    }
    this.svg.replaceChildren(...nodes);
  }
}

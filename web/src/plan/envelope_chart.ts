// The best plan at every uplink, and where the line moves. The uplink can be dragged in it.
import { h, s } from '../dom';
import { mechanismColour } from '../palette';
import { mechanismOf, type Network, type Plan, placeOf } from './answer';
import { along, piecesWithin, priceAt } from './envelope';
import { figure, logarithmic, type Scale } from './scale';

const low = 0.02; // Mbit/s, the chart's ends
const high = 1000;
const height = 250;
const letter = 6.6; // pixels, about

export class EnvelopeChart {
  readonly root: HTMLElement;
  private readonly svg = s('svg', { 'aria-hidden': 'true' });
  private width = 560;
  private last: [Plan, Network, number, boolean] | null = null;
  private x: Scale | null = null;

  constructor(private readonly dragged: (up: number) => void) {
    this.root = h('div', { class: 'chart' }, this.svg);
    const drag = (event: PointerEvent): void => {
      if (this.x === null) return;
      const value = this.x.back(event.offsetX);
      this.dragged(Number(Math.min(this.x.high, Math.max(this.x.low, value)).toPrecision(3)));
    };
    this.svg.addEventListener('pointerdown', (event) => {
      this.svg.setPointerCapture((event as PointerEvent).pointerId);
      drag(event as PointerEvent);
    });
    this.svg.addEventListener('pointermove', (event) => {
      if ((event as PointerEvent).buttons === 1) drag(event as PointerEvent);
    });
    new ResizeObserver(() => {
      const width = this.root.clientWidth;
      if (width === this.width || width <= 0) return;
      this.width = width;
      if (this.last) this.show(...this.last);
    }).observe(this.root);
  }

  /** `period`: the objective is a pipeline's period, the larger of two terms instead of their sum. */
  show(plan: Plan, network: Network, up: number, period: boolean): void {
    this.last = [plan, network, up, period];
    const box = { left: 52, right: this.width - 10, top: 26, bottom: height - 34 };
    this.svg.setAttribute('viewBox', `0 0 ${this.width} ${height}`);
    this.svg.setAttribute('height', String(height));
    this.x = logarithmic(low, high, box.left, box.right, 6);
    const x = this.x;
    const pieces = piecesWithin(plan, low, high);
    const prices = pieces.flatMap(({ step, from, to }) => [
      priceAt(step, from, plan, period),
      priceAt(step, to, plan, period),
    ]);
    const least = prices.length > 0 ? Math.max(Math.min(...prices), 1e-9) : 1;
    const y = logarithmic(least / 1.25, Math.max(...prices, least * 1.2) * 1.15, box.bottom, box.top, 5);

    const nodes: SVGElement[] = [];
    const text = (px: number, py: number, anchor: string, kind: string, words: string): void => {
      const at = { x: px.toFixed(1), y: py.toFixed(1), 'text-anchor': anchor, class: kind };
      nodes.push(s('text', at, words));
    };
    const upright = (value: number, kind: string): void => {
      nodes.push(s('path', { d: `M${x.at(value).toFixed(1)} ${box.top - 4}V${box.bottom}`, class: kind }));
    };
    pieces.forEach(({ step, from, to }, i) => {
      const colour = mechanismColour(mechanismOf(step.cut, network));
      const room = x.at(to) - x.at(from);
      nodes.push(
        s('rect', {
          x: x.at(from).toFixed(1),
          y: box.top,
          width: room.toFixed(1),
          height: box.bottom - box.top,
          fill: colour,
          class: `band ${i % 2 === 0 ? 'even' : 'odd'}`,
        }),
      );
      const points = along(from, to, 16).map(
        (at) => `${x.at(at).toFixed(1)} ${y.at(priceAt(step, at, plan, period)).toFixed(1)}`,
      );
      nodes.push(s('path', { d: `M${points.join('L')}`, class: 'piece', stroke: colour }));
      const name = placeOf(step, network);
      if (room > name.length * letter + 4) {
        text((x.at(from) + x.at(to)) / 2, box.top - 8, 'middle', 'tick strong', name);
      }
      if (i > 0) upright(from, 'break');
    });

    const gap = Math.min(high, plan.nothing_below_mbps ?? 0);
    if (gap > low) {
      upright(gap, 'break');
      const words = 'nothing keeps to the limits';
      if (x.at(gap) - box.left > words.length * letter) {
        text((box.left + x.at(gap)) / 2, (box.top + box.bottom) / 2, 'middle', 'tick', words);
      }
    }
    for (const tick of x.ticks) text(x.at(tick), box.bottom + 16, 'middle', 'tick', figure(tick));
    for (const tick of y.ticks) {
      const grid = `M${box.left} ${y.at(tick).toFixed(1)}H${box.right}`;
      nodes.unshift(s('path', { d: grid, class: 'c-grid' }));
      text(box.left - 6, y.at(tick) + 4, 'end', 'tick', figure(tick));
    }
    text((box.left + box.right) / 2, height - 3, 'middle', 'tick', 'uplink, Mbit/s');
    text(0, 12, 'start', 'tick', plan.certificate.unit);

    const here = Math.min(high, Math.max(low, up));
    const now = pieces.find(({ from, to }) => here >= from && here <= to);
    upright(here, 'here');
    if (now) {
      const cy = y.at(priceAt(now.step, here, plan, period)).toFixed(1);
      nodes.push(s('circle', { cx: x.at(here).toFixed(1), cy, r: 5.5, class: 'here-dot' }));
    }
    this.svg.replaceChildren(...nodes);
  }
}

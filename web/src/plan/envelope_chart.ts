// The best plan at every uplink, and where the line moves. The uplink can be dragged in it.
import { h, s } from '../dom';
import { mechanismColour } from '../palette';
import { mechanismOf, type Network, placeOf, type Plan, type Step } from './answer';
import { figure, logarithmic, mbps, type Scale } from './scale';

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
    this.svg.addEventListener('pointermove', (event) => { if ((event as PointerEvent).buttons === 1) drag(event as PointerEvent); });
    new ResizeObserver(() => {
      const width = this.root.clientWidth;
      if (width !== this.width && width > 0) { this.width = width; if (this.last) this.show(...this.last); }
    }).observe(this.root);
  }

  /** `period`: the objective is a pipeline's period, the larger of two terms instead of their sum. */
  show(plan: Plan, network: Network, up: number, period: boolean): void {
    this.last = [plan, network, up, period];
    const height = 250;
    const box = { left: 52, right: this.width - 10, top: 26, bottom: height - 34 };
    this.svg.setAttribute('viewBox', `0 0 ${this.width} ${height}`);
    this.svg.setAttribute('height', String(height));
    const price = (step: Step, mbps: number): number => {
      const rate = Math.min(mbps, plan.fastest_mbps);
      return period ? Math.max(step.fixed, step.slope / rate) : step.fixed + step.slope / rate;
    };
    const low = 0.02;
    const high = 1000;
    this.x = logarithmic(low, high, box.left, box.right, 6);
    const x = this.x;
    const steps = plan.envelope.filter((step) => step.to_mbps > low && step.from_mbps < high);
    const prices = steps.flatMap((step) => [price(step, Math.max(low, step.from_mbps)), price(step, Math.min(high, step.to_mbps))]);
    const least = prices.length > 0 ? Math.max(Math.min(...prices), 1e-9) : 1;
    const y = logarithmic(least / 1.25, Math.max(...prices, least * 1.2) * 1.15, box.bottom, box.top, 5);
    const nodes: SVGElement[] = [];
    const text = (px: number, py: number, anchor: string, kind: string, words: string): void => {
      nodes.push(s('text', { x: px.toFixed(1), y: py.toFixed(1), 'text-anchor': anchor, class: kind }, words));
    };
    steps.forEach((step, i) => {
      const from = Math.max(low, step.from_mbps);
      const to = Math.min(high, step.to_mbps);
      const colour = mechanismColour(mechanismOf(step.cut, network));
      nodes.push(s('rect', { x: x.at(from).toFixed(1), y: box.top, width: (x.at(to) - x.at(from)).toFixed(1), height: box.bottom - box.top, fill: colour, class: `band ${i % 2 === 0 ? 'even' : 'odd'}` }));
      let d = '';
      for (let k = 0; k <= 16; k += 1) {
        const at = from * (to / from) ** (k / 16);
        d += `${k === 0 ? 'M' : 'L'}${x.at(at).toFixed(1)} ${y.at(price(step, at)).toFixed(1)}`;
      }
      nodes.push(s('path', { d, class: 'piece', stroke: colour }));
      const room = x.at(to) - x.at(from);
      const name = placeOf(step, network);
      if (room > name.length * 6.6 + 4) text((x.at(from) + x.at(to)) / 2, box.top - 8, 'middle', 'tick strong', name);
      if (i > 0) nodes.push(s('path', { d: `M${x.at(from).toFixed(1)} ${box.top - 4}V${box.bottom}`, class: 'break' }));
    });
    const gap = Math.min(high, plan.nothing_below_mbps ?? 0);
    if (gap > low) {
      nodes.push(s('path', { d: `M${x.at(gap).toFixed(1)} ${box.top - 4}V${box.bottom}`, class: 'break' }));
      const words = 'nothing keeps to the limits';
      if (x.at(gap) - box.left > words.length * 6.6) text((box.left + x.at(gap)) / 2, (box.top + box.bottom) / 2, 'middle', 'tick', words);
    }
    for (const tick of x.ticks) text(x.at(tick), box.bottom + 16, 'middle', 'tick', figure(tick));
    for (const tick of y.ticks) {
      nodes.unshift(s('path', { d: `M${box.left} ${y.at(tick).toFixed(1)}H${box.right}`, class: 'c-grid' }));
      text(box.left - 6, y.at(tick) + 4, 'end', 'tick', figure(tick));
    }
    text((box.left + box.right) / 2, height - 3, 'middle', 'tick', 'uplink, Mbit/s');
    text(0, 12, 'start', 'tick', plan.certificate.unit);
    const here = Math.min(high, Math.max(low, up));
    const now = steps.find((step) => here >= step.from_mbps && here <= step.to_mbps);
    nodes.push(s('path', { d: `M${x.at(here).toFixed(1)} ${box.top - 4}V${box.bottom}`, class: 'here' }));
    if (now) nodes.push(s('circle', { cx: x.at(here).toFixed(1), cy: y.at(price(now, here)).toFixed(1), r: 5.5, class: 'here-dot' }));
    this.svg.replaceChildren(...nodes);
  }
}

/** "below 420 kbit/s edge-only", one line a piece. */
export function envelopeWords(plan: Plan, network: Network): { range: string; what: string; codec: string; mechanism: string; from: number; to: number }[] {
  return plan.envelope.map((step) => {
    const first = step.from_mbps <= 1.1e-3 && plan.nothing_below_mbps === null;
    const last = step.to_mbps >= 0.99e5;
    const range = first && last ? 'at any uplink' : first ? `below ${mbps(step.to_mbps)}` : last ? `above ${mbps(step.from_mbps)}` : `${mbps(step.from_mbps)} – ${mbps(step.to_mbps)}`;
    return { range, what: placeOf(step, network), codec: step.codec, mechanism: mechanismOf(step.cut, network), from: step.from_mbps, to: step.to_mbps };
  });
}

// One line of figures under the chart: the cut that is pointed at, the plan's own otherwise.
import { clear, h } from '../dom';
import { bytes as human, millis } from '../format';
import { type Answer, type Candidate, type CutId, isPlan, type Network, placeOf } from './answer';
import { euro } from './scale';
import { agreement, notRun, payload, ruledOut } from './words';

export class Readout {
  readonly root = h('div', { class: 'readout' });
  /** The cut that is pointed at. */
  looking: CutId | null = null;

  /** `chosen`: what somebody chose in place of the plan. */
  show(answer: Answer, network: Network, chosen: Candidate | null): void {
    const best = isPlan(answer) ? answer.best : null;
    const c =
      this.looking === null
        ? (chosen ?? best ?? answer.candidates[0])
        : answer.candidates.find((other) => other.cut === this.looking);
    if (!c) return;
    const l = c.latency_ms;
    const place = typeof c.cut === 'number' ? network.cuts[c.cut] : undefined;
    const gap = best && c !== best && c.cut !== best.cut ? l.total - best.latency_ms.total : null;
    const whole =
      place && c.codec !== 'verdict' ? h('span', { class: 'soft' }, ` of ${human(place.bytes)}`) : '';
    clear(
      this.root,
      h('b', {}, placeOf(c, network)),
      h('span', { class: 'soft tensors', title: c.name }, c.name),
      h('span', {}, payload(c), whole),
      h('span', { class: 'soft' }, agreement(c)),
      h(
        'span',
        {},
        `${millis(l.total)} `,
        gap === null ? '' : h('span', { class: 'soft' }, `${gap >= 0 ? '+' : '−'}${millis(Math.abs(gap))}`),
        h(
          'span',
          { class: 'soft' },
          ` = device ${millis(l.edge + l.encode)} + network ${millis(l.uplink + l.downlink)}` +
            ` + cloud ${millis(l.decode + l.cloud)}`,
        ),
      ),
      h('span', {}, `${euro(c.cost_per_device_month)} a month`),
      ruledOut(c) === '' ? null : h('span', { class: 'warn' }, ruledOut(c)),
      c.runnable ? null : h('span', { class: 'warn' }, notRun(c)),
    );
  }
}

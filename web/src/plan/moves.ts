// The envelope as a list: which plan from which uplink on.
import { clear, h } from '../dom';
import { mechanismTag } from '../mechanism_tag';
import type { Network, Plan } from './answer';
import { envelopeWords } from './envelope';
import { mbps } from './scale';

export class Moves {
  readonly root = h('ol', { class: 'moves' });

  show(plan: Plan, network: Network, up: number): void {
    const gap =
      plan.nothing_below_mbps === null
        ? null
        : h(
            'li',
            { class: 'gap' },
            h('span', { class: 'range' }, `below ${mbps(plan.nothing_below_mbps)}`),
            h('span', { class: 'soft' }, 'nothing keeps to the limits'),
          );
    const steps = envelopeWords(plan, network).map((step) => {
      const now = up >= step.from && up <= step.to;
      return h(
        'li',
        { class: now ? 'now' : '', 'aria-current': now ? 'true' : undefined },
        h('span', { class: 'range' }, step.range),
        mechanismTag(step.mechanism, step.what),
        h('span', { class: 'soft' }, step.codec === 'verdict' ? '' : step.codec),
      );
    });
    clear(this.root, gap, ...steps);
  }
}

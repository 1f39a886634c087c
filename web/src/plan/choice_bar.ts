// What was chosen beside what the plan says: one line with the way back.
import { clear, h } from '../dom';
import { bytes as human, millis } from '../format';
import { type Candidate, type Network, type Plan, placeOf } from './answer';
import { euro } from './scale';

const more = (difference: number, words: (value: number) => string): string =>
  `${difference < 0 ? '−' : '+'}${words(Math.abs(difference))}`;

export class ChoiceBar {
  readonly root = h('p', { class: 'choice-bar', role: 'status' });
  private readonly back: HTMLElement;

  constructor(back: () => void) {
    this.back = h('button', { class: 'link', onclick: back }, 'Back to the plan');
    this.root.hidden = true;
  }

  show(chosen: Candidate | null, plan: Plan | null, network: Network): void {
    this.root.hidden = chosen === null;
    if (chosen === null) return;
    const than = plan
      ? ` instead of ${placeOf(plan.best, network)}: ` +
        `${more(chosen.latency_ms.total - plan.best.latency_ms.total, millis)}, ` +
        `${more(chosen.bytes - plan.best.bytes, (b) => human(Math.round(b)))} an image, ` +
        `${more(chosen.cost_per_device_month - plan.best.cost_per_device_month, euro)} a month. `
      : '. ';
    clear(this.root, 'You chose ', h('b', {}, placeOf(chosen, network)), than, this.back);
  }
}

// The plan in large letters at the top, in one line at the foot of small screens, and spoken.
import { clear, h } from '../dom';
import { count, millis } from '../format';
import { mechanismTag } from '../mechanism_tag';
import { type Answer, isPlan, mechanismOf, type Network, type Plan, placeOf } from './answer';
import type { Question } from './question';
import { euro, figure } from './scale';
import {
  agreement,
  exitSentence,
  headline,
  instances,
  limitName,
  moveSentence,
  objectiveWords,
  sends,
  term,
} from './words';

const figureOf = (name: string, value: string, sub: string): HTMLElement =>
  h('div', {}, h('dt', {}, name), h('dd', {}, value, h('span', { class: 'sub' }, sub)));

export class Verdict {
  readonly root = h('section', { class: 'verdict', 'aria-label': 'The plan' });
  readonly bar = h('div', { class: 'verdict-bar', 'aria-hidden': 'true' });
  readonly spoken = h('p', { class: 'hidden', role: 'status' });
  private saying: ReturnType<typeof setTimeout> | undefined;

  /** `up`: the uplink that was asked about, Mbit/s. */
  show(answer: Answer, network: Network, asked: Question, up: number): void {
    if (!isPlan(answer)) {
      const { limit, message } = answer.conflict;
      clear(
        this.root,
        h('p', { class: 'eyebrow' }, 'No line keeps to these limits'),
        h('p', { class: 'headline' }, `${limitName(limit)} is out of reach`),
        h('p', { class: 'why' }, `The limit ${limit} ${message}.`),
      );
      clear(this.bar, 'No line keeps to these limits');
      this.speak('No line keeps to these limits');
      return;
    }
    const { best } = answer;
    clear(this.root, this.head(answer, network, asked, up), this.figures(answer));
    const money = euro(best.cost_per_device_month);
    this.speak(`${headline(best, network)}, ${millis(best.latency_ms.total)}, ${money} a device and month`);
    clear(
      this.bar,
      mechanismTag(mechanismOf(best.cut, network), placeOf(best, network)),
      h('b', {}, millis(best.latency_ms.total)),
      h('span', {}, money),
    );
  }

  private head(plan: Plan, network: Network, asked: Question, up: number): HTMLElement {
    const { best } = plan;
    const kept =
      best.agreement !== null && best.codec !== 'verdict'
        ? `, ${agreement(best)} with the whole network`
        : '';
    const behind = best.period_ms > 1000 / (asked.number.rate ?? 1);
    return h(
      'div',
      { class: 'verdict-head' },
      h(
        'p',
        { class: 'eyebrow' },
        mechanismTag(mechanismOf(best.cut, network)),
        ` best for ${objectiveWords(asked)}`,
      ),
      h('p', { class: 'headline' }, headline(best, network)),
      h(
        'p',
        { class: 'why' },
        `${term(best, network)}${sends(best, network)}${kept}. ${moveSentence(plan, up, network)}`,
      ),
      plan.ties.length === 0
        ? null
        : h(
            'p',
            { class: 'why' },
            `${count(plan.ties.length)} other${plan.ties.length === 1 ? ' costs' : 's cost'} as much, as far as the times are known: `,
            h(
              'button',
              { class: 'link', onclick: () => document.getElementById('ties')?.scrollIntoView() },
              'show them',
            ),
          ),
      best.exit ? h('p', { class: 'why exit' }, exitSentence(best)) : null,
      ...(plan.precision ?? [])
        .filter(({ text }) => text !== null)
        .map(({ text }) => h('p', { class: 'why precision' }, text)),
      ...plan.notes.map((note) => h('p', { class: 'why note' }, note)),
      behind
        ? h(
            'p',
            { class: 'warn' },
            `It cannot keep up: at most ${figure(1000 / best.period_ms)} images a second.`,
          )
        : null,
    );
  }

  private figures(plan: Plan): HTMLElement {
    const { best, fleet } = plan;
    const late = best.latency_p95_ms > best.latency_ms.total * 1.001;
    const month = fleet.plan.euro_month;
    const energy =
      best.energy_mj >= 1000 ? `${figure(best.energy_mj / 1000)} J` : `${figure(best.energy_mj)} mJ`;
    return h(
      'dl',
      { class: 'figures' },
      figureOf(
        'Latency',
        millis(best.latency_ms.total),
        late ? `${millis(best.latency_p95_ms)} at p95` : 'an image',
      ),
      figureOf('Money', euro(best.cost_per_device_month), 'a device and month'),
      figureOf(
        `Fleet of ${count(fleet.devices)}`,
        month === null ? '—' : euro(month),
        `a month, ${instances(fleet.plan)}`,
      ),
      figureOf('Energy', energy, 'of the device, an image'),
    );
  }

  /** To those who hear the page, once the sliders rest. */
  private speak(words: string): void {
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      if (this.spoken.textContent !== words) this.spoken.textContent = words;
    }, 600);
  }
}

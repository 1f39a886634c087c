// The newest detections as a list: the map in words, for eyes and for screen readers.
import { type Detection, scoreWords, totalMs } from './api';
import { clear, h } from './dom';
import { ago, millis } from './format';

const most = 60;

const when = (d: Detection): HTMLElement =>
  d.captured === undefined
    ? h('span', {}, 'time unknown')
    : h('time', { 'data-ms': d.captured, datetime: new Date(d.captured).toISOString() }, ago(d.captured));

export class Latest {
  private rows: Detection[] = [];
  private drawing = false;
  private filtered = false;
  private word = 'reported';

  constructor(
    private readonly list: HTMLElement,
    private readonly pick: (d: Detection) => void,
    private readonly clearFilters: () => void,
  ) {
    setInterval(() => this.tick(), 5000);
  }

  /** `filtered`: there may be others, which do not pass. */
  set(rows: Detection[], filtered: boolean): void {
    this.rows = rows.slice(0, most);
    this.filtered = filtered;
    this.draw();
  }

  add(d: Detection): void {
    this.rows.unshift(d);
    this.rows.length = Math.min(this.rows.length, most);
    if (this.drawing) return; // many a second: one drawing takes them all
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.draw();
    });
  }

  /** What is looked for, see reportedWord. */
  say(word: string): void {
    if (word === this.word) return;
    this.word = word;
    this.draw();
  }

  find(id: number): Detection | undefined {
    return this.rows.find((d) => d.id === id);
  }

  private tick(): void {
    for (const time of this.list.querySelectorAll<HTMLElement>('time[data-ms]'))
      time.textContent = ago(Number(time.dataset['ms']));
  }

  private draw(): void {
    const focus = (document.activeElement as HTMLElement | null)?.dataset['id'];
    if (this.rows.length === 0) {
      const why = this.filtered
        ? [
            'Nothing passes these filters. ',
            h('button', { class: 'link', onclick: this.clearFilters }, 'Clear them'),
          ]
        : ['Nothing here yet. Detections appear as devices send them.'];
      clear(this.list, h('li', { class: 'empty' }, ...why));
      return;
    }
    clear(
      this.list,
      ...this.rows.map((d) =>
        h(
          'li',
          {},
          h(
            'button',
            { class: 'item', 'data-id': d.id, onclick: () => this.pick(d) },
            h('span', { class: `mark ${d.positive ? 'positive' : ''}`, 'aria-hidden': 'true' }),
            h(
              'span',
              { class: 'what' },
              d.label === '' ? 'unlabelled' : d.label,
              h('b', {}, scoreWords(d, this.word)),
            ),
            h('span', { class: 'how' }, `${d.device} · ${d.mechanism}`),
            h('span', { class: 'when' }, when(d), h('span', {}, millis(totalMs(d)))),
          ),
        ),
      ),
    );
    if (focus !== undefined) this.list.querySelector<HTMLElement>(`[data-id="${Number(focus)}"]`)?.focus();
  }
}

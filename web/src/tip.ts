// What the pointer is over: a hexagon's counts or one detection, in three lines beside it.
import { type Detection, scoreWords } from './api';
import { clear, h } from './dom';
import { count, moment, percent } from './format';
import type { Touch } from './map_view';

export class Tip {
  readonly root = h('div', { class: 'tip', 'aria-hidden': 'true' });

  /** `find`: the detection of an id, while it is shown; `word`: for what is worth a report. */
  constructor(
    private readonly find: (id: number) => Detection | undefined,
    private readonly word: () => string,
  ) {
    this.root.hidden = true;
  }

  show(touch: Touch | null): void {
    const lines = touch === null ? null : this.lines(touch);
    this.root.hidden = lines === null;
    if (touch === null || lines === null) return;
    clear(this.root, ...lines);
    this.root.style.transform = `translate(${touch.x + 14}px, ${touch.y + 14}px)`;
  }

  private lines(touch: Touch): (Node | string)[] | null {
    if (touch.kind === 'hex') {
      const { count: n, positives, maxScore, newest } = touch.hex!;
      return [
        h('b', {}, `${count(positives)} ${this.word()}`),
        ` of ${count(n)} pictures`,
        h('br'),
        `highest score ${percent(maxScore)}`,
        h('br'),
        newest === 0 ? 'time unknown' : moment(newest),
      ];
    }
    const d = this.find(touch.id!);
    if (!d) return null;
    return [
      h('b', {}, `${d.label === '' ? 'unlabelled' : d.label}, ${scoreWords(d, this.word())}`),
      h('br'),
      `${d.device} · ${d.mechanism}`,
      h('br'),
      d.captured === undefined ? 'time unknown' : moment(d.captured),
      ...(touch.ids!.length > 1 ? [h('br'), h('b', {}, `${touch.ids!.length} pictures here`)] : []),
    ];
  }
}

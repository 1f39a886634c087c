// When the pictures were taken, and which part of that time is shown: bars, and two sliders over them.
import { clear, h } from './dom';
import { moment, short } from './format';

export interface TimeCounts {
  from: number;
  to: number;
  untimed: number;
  bins: [number, number][];
} // count, positives
export const timeBins = 120;

export class Timeline {
  readonly root: HTMLElement;
  private readonly canvas = h('canvas', { 'aria-hidden': 'true' });
  private readonly low: HTMLInputElement;
  private readonly high: HTMLInputElement;
  private readonly said = h('output', { class: 'said' });
  private readonly all = h('button', { class: 'link', onclick: () => this.changed(null, null) }, 'All time');
  private counts: TimeCounts | null = null;

  constructor(
    private from: number | null,
    private to: number | null,
    private readonly changed: (from: number | null, to: number | null) => void,
  ) {
    const slider = (name: string): HTMLInputElement =>
      h('input', {
        type: 'range',
        min: 0,
        max: timeBins,
        step: 1,
        'aria-label': name,
        oninput: () => this.slide(),
        onchange: () => this.settle(),
      });
    this.low = slider('Shown from');
    this.high = slider('Shown until');
    this.root = h(
      'section',
      { class: 'timeline', 'aria-label': 'Time' },
      h('div', { class: 'time-head' }, h('span', {}, 'Time'), this.said, this.all),
      h('div', { class: 'time-body' }, this.canvas, this.low, this.high),
    );
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  show(counts: TimeCounts): void {
    this.counts = counts;
    this.place();
  }

  choose(from: number | null, to: number | null): void {
    this.from = from;
    this.to = to;
    this.place();
  }

  /** The time at an edge between bins. */
  private at(step: number): number {
    const { from, to } = this.counts!;
    return Math.round(from + ((to - from) * step) / timeBins);
  }

  private place(): void {
    if (this.counts === null) return;
    const { from, to } = this.counts;
    const step = (ms: number): number =>
      Math.max(0, Math.min(timeBins, Math.round(((ms - from) / Math.max(1, to - from)) * timeBins)));
    this.low.value = String(this.from === null ? 0 : step(this.from));
    this.high.value = String(this.to === null ? timeBins : step(this.to));
    this.describe();
  }

  private describe(): void {
    if (this.counts === null) return;
    const low = Number(this.low.value);
    const high = Number(this.high.value);
    const pictures = this.counts.bins.slice(low, high).reduce((sum, bin) => sum + bin[0], 0);
    for (const input of [this.low, this.high])
      input.setAttribute('aria-valuetext', moment(this.at(Number(input.value))));
    const empty = this.counts.bins.every((bin) => bin[0] === 0);
    const { untimed } = this.counts;
    const whole = this.from === null && this.to === null;
    const without = untimed === 0 ? '' : ` · ${short(untimed)} without a time${whole ? '' : ' left out'}`;
    clear(
      this.said,
      empty
        ? `nothing yet${without}`
        : `${moment(this.at(low))} – ${moment(this.at(high))} · ${short(pictures)} pictures${without}`,
    );
    this.all.disabled = this.from === null && this.to === null && low === 0 && high === timeBins;
    this.draw();
  }

  private slide(): void {
    // The sliders push, never cross.
    if (Number(this.low.value) >= Number(this.high.value)) {
      if (document.activeElement === this.low)
        this.low.value = String(Math.max(0, Number(this.high.value) - 1));
      else this.high.value = String(Math.min(timeBins, Number(this.low.value) + 1));
    }
    this.describe();
  }

  private settle(): void {
    if (this.counts === null) return;
    this.slide();
    const low = Number(this.low.value);
    const high = Number(this.high.value);
    this.from = low === 0 ? null : this.at(low);
    this.to = high === timeBins ? null : this.at(high);
    this.changed(this.from, this.to);
  }

  draw(): void {
    const { canvas } = this;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    const ratio = devicePixelRatio;
    if (width === 0 || this.counts === null) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext('2d')!;
    pen.scale(ratio, ratio);
    const style = getComputedStyle(this.root);
    const most = Math.max(1, ...this.counts.bins.map((bin) => bin[0]));
    const step = width / timeBins;
    // Square roots: a quiet day beside a busy one stays visible.
    const tall = (n: number): number => (n === 0 ? 0 : Math.max(1.5, Math.sqrt(n / most) * (height - 2)));
    this.counts.bins.forEach(([count, positives], i) => {
      const inside = i >= Number(this.low.value) && i < Number(this.high.value);
      pen.globalAlpha = inside ? 1 : 0.28;
      pen.fillStyle = style.getPropertyValue('--quiet');
      pen.fillRect(i * step, height - tall(count), Math.max(1, step - 1), tall(count));
      pen.fillStyle = style.getPropertyValue('--litter');
      const reported = count === 0 ? 0 : (tall(count) * positives) / count;
      pen.fillRect(i * step, height - reported, Math.max(1, step - 1), reported);
    });
  }
}

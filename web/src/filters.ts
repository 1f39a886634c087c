// The filters. Choosing nothing means everything.
import { capital, type FoundTally, type Inventory, reportedWord, type Tally } from './api';
import { classColour } from './class_colours';
import { clear, h } from './dom';
import { percent, short } from './format';
import { type Filter, isFiltered, noFilter } from './state';

/** Milliseconds as a datetime-local control wants them, in the viewer's zone, and back. */
const toLocal = (ms: number | null): string => {
  if (ms === null) return '';
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
const fromLocal = (text: string): number | null => {
  const ms = new Date(text).getTime();
  return Number.isFinite(ms) ? ms : null;
};

const byName = new Intl.Collator('en', { numeric: true });
const manyChips = 12;
const mostChips = 60;

export class Filters {
  private readonly sought = new Map<string, string>();
  private inventory: Inventory | null = null;
  private found: FoundTally[] = [];

  constructor(
    private readonly root: HTMLElement,
    private filter: Filter,
    private readonly changed: (f: Filter) => void,
  ) {
    this.draw();
  }

  show(filter: Filter): void {
    this.filter = filter;
    this.draw();
  }

  offer(inventory: Inventory): void {
    const names = (i: Inventory | null): string =>
      i === null
        ? ''
        : JSON.stringify([
            reportedWord(i),
            ...[i.devices, i.labels, i.mechanisms].map((list) => list.map((t) => t.name).sort()),
          ]);
    const same = names(this.inventory) === names(inventory);
    this.inventory = inventory;
    if (!same) this.draw(); // a redraw takes the keyboard's place away: only when the choices change
  }

  offerFound(found: FoundTally[]): void {
    const labels = (tallies: FoundTally[]): string => JSON.stringify(tallies.map((t) => t.label).sort());
    const same = labels(this.found) === labels(found);
    this.found = found;
    if (!same) {
      this.draw();
      return;
    }
    for (const { label, pictures } of found) {
      const chip = [...this.root.querySelectorAll<HTMLElement>('.chip')].find(
        (e) => e.dataset['key'] === `found:${label}`,
      );
      const number = chip?.querySelector('b');
      if (number) number.textContent = short(pictures);
    }
  }

  private change(change: Partial<Filter>): void {
    this.filter = { ...this.filter, ...change };
    this.changed(this.filter);
    this.draw();
  }

  private chips(
    title: string,
    tallies: Tally[],
    chosen: string[],
    set: (names: string[]) => void,
  ): HTMLElement | false {
    // What the address names stays visible, also when the store does not know it.
    const all = [
      ...tallies.map((t) => t.name),
      ...chosen.filter((name) => !tallies.some((t) => t.name === name)),
    ];
    if (all.length === 0) return false;
    // What is chosen comes first, then by name, numbers in it by their size.
    all.sort((a, b) => Number(chosen.includes(b)) - Number(chosen.includes(a)) || byName.compare(a, b));
    const list = h('div', { class: 'chips', role: 'group', 'aria-label': title });
    const wanted = (this.sought.get(title) ?? '').toLowerCase();
    const shown = all.filter((name) => chosen.includes(name) || name.toLowerCase().includes(wanted));
    for (const name of shown.slice(0, mostChips)) {
      const on = chosen.includes(name);
      const tally = tallies.find((t) => t.name === name);
      list.append(
        h(
          'button',
          {
            class: 'chip',
            'aria-pressed': on,
            'data-key': `${title}:${name}`,
            title: tally ? `${short(tally.count)} pictures` : '',
            onclick: () => set(on ? chosen.filter((other) => other !== name) : [...chosen, name]),
          },
          name === '' ? 'unlabelled' : name,
        ),
      );
    }
    const more = shown.length - mostChips;
    return h(
      'div',
      { class: 'field' },
      h('span', { class: 'caption' }, title, more > 0 && ` · ${more} more: search`),
      all.length > manyChips && this.seek(title),
      list,
    );
  }

  /** A box that leaves of many names those with some letters. */
  private seek(title: string): HTMLElement {
    const input = h('input', {
      type: 'search',
      class: 'seek',
      placeholder: `Find a ${title.toLowerCase()}`,
      'aria-label': `Find a ${title.toLowerCase()}`,
      value: this.sought.get(title) ?? '',
      'data-key': `seek:${title}`,
      oninput: () => {
        this.sought.set(title, input.value);
        this.draw();
      },
    });
    return input;
  }

  /** Classes of boxes, each with its colour and in how many pictures it is; and how many there have to be in one. */
  private foundField(): HTMLElement | false {
    const { found, foundLeast } = this.filter;
    const all = [
      ...this.found,
      ...found
        .filter((label) => !this.found.some((t) => t.label === label))
        .map((label) => ({ label, pictures: 0, boxes: 0 })),
    ];
    if (all.length === 0 && foundLeast === 0) return false;
    const list = h('div', { class: 'chips', role: 'group', 'aria-label': 'Found' });
    for (const { label, pictures, boxes } of all.slice(0, 60)) {
      const on = found.includes(label);
      const dot = h('i', { class: 'class-dot', 'aria-hidden': 'true' });
      dot.style.setProperty('--class', classColour.of(label));
      list.append(
        h(
          'button',
          {
            class: 'chip',
            'aria-pressed': on,
            'data-key': `found:${label}`,
            title: `${short(boxes)} in ${short(pictures)} pictures`,
            onclick: () =>
              this.change({ found: on ? found.filter((other) => other !== label) : [...found, label] }),
          },
          dot,
          label,
          h('b', {}, short(pictures)),
        ),
      );
    }
    const least = h('input', {
      type: 'number',
      min: 1,
      max: 300,
      value: String(Math.max(1, foundLeast)),
      'data-key': 'least',
      onchange: () => {
        const n = Math.min(300, Math.floor(Number(least.value)));
        this.change({ foundLeast: n > 1 ? n : 0 });
      },
    });
    return h(
      'div',
      { class: 'field' },
      h('span', { class: 'caption' }, 'Found'),
      list,
      h('label', { class: 'least' }, 'At least ', least, ' in a picture'),
    );
  }

  private draw(): void {
    const focus = (document.activeElement as HTMLElement | null)?.dataset['key'];
    const f = this.filter;
    const i = this.inventory;
    const score = h('output', {}, f.minScore === 0 ? 'any' : `≥ ${percent(f.minScore)}`);
    clear(
      this.root,
      h(
        'div',
        { class: 'field line' },
        h(
          'label',
          { class: 'switch' },
          h('input', {
            type: 'checkbox',
            role: 'switch',
            checked: f.positive,
            'data-key': 'positive',
            onchange: (e: Event) => this.change({ positive: (e.target as HTMLInputElement).checked }),
          }),
          h('span', {}, `${capital(reportedWord(i))} only`),
        ),
        h(
          'button',
          {
            class: 'link',
            'data-key': 'clear',
            disabled: !isFiltered(f),
            onclick: () => this.change(noFilter()),
          },
          'Clear filters',
        ),
      ),
      this.chips('Label', i?.labels ?? [], f.labels, (labels) => this.change({ labels })),
      this.foundField(),
      this.chips('Mechanism', i?.mechanisms ?? [], f.mechanisms, (mechanisms) => this.change({ mechanisms })),
      this.chips('Device', i?.devices ?? [], f.devices, (devices) => this.change({ devices })),
      h(
        'div',
        { class: 'field' },
        h('label', { class: 'caption', for: 'score' }, 'Score ', score),
        h('input', {
          id: 'score',
          type: 'range',
          min: 0,
          max: 100,
          step: 5,
          value: String(Math.round(f.minScore * 100)),
          'data-key': 'score',
          oninput: (e: Event) => {
            const v = Number((e.target as HTMLInputElement).value);
            score.textContent = v === 0 ? 'any' : `≥ ${v} %`;
          },
          onchange: (e: Event) =>
            this.change({ minScore: Number((e.target as HTMLInputElement).value) / 100 }),
        }),
      ),
      h(
        'div',
        { class: 'field two' },
        h(
          'label',
          {},
          h('span', { class: 'caption' }, 'From'),
          h('input', {
            type: 'datetime-local',
            value: toLocal(f.from),
            'data-key': 'from',
            onchange: (e: Event) => this.change({ from: fromLocal((e.target as HTMLInputElement).value) }),
          }),
        ),
        h(
          'label',
          {},
          h('span', { class: 'caption' }, 'To'),
          h('input', {
            type: 'datetime-local',
            value: toLocal(f.to),
            'data-key': 'to',
            onchange: (e: Event) => this.change({ to: fromLocal((e.target as HTMLInputElement).value) }),
          }),
        ),
      ),
    );
    if (focus !== undefined) {
      [...this.root.querySelectorAll<HTMLElement>('[data-key]')]
        .find((e) => e.dataset['key'] === focus)
        ?.focus();
    }
  }
}

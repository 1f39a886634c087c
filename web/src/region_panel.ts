// What is to be said of a region, beside the map: figures, what was seen, before and after a day, and what to do with it.
import { capital, type Placed } from './api';
import { clear, h } from './dom';
import { count, moment, percent } from './format';
import { interval, splitAt, type Summary, summarize, type Tally } from './region';
import type { RegionRows } from './region_rows';
import { mostRows } from './region_rows';

const mostPictures = 24;

export interface RegionActions {
  close: () => void;
  geoJson: () => void;
  csv: () => void;
  link: () => Promise<void>;
  print: () => void;
  split: (at: number | null) => void;
  pick: (d: Placed) => void;
}

export const perKilometre = ({ reported, kilometres }: Summary): string =>
  kilometres < 0.05 ? '—' : (reported / kilometres).toFixed(1);
export const kilometresText = (km: number): string => `${km < 10 ? km.toFixed(2) : km.toFixed(1)} km`;

export const shareText = ({ reported, pictures }: { reported: number; pictures: number }): string => {
  if (pictures === 0) return '—';
  const [low, high] = interval(reported, pictures).map(percent);
  return `${percent(reported / pictures)} (${low!.replace(' %', '')}–${high})`;
};

export const tallyTable = (title: string, word: string, rows: Tally[], most: number): HTMLElement =>
  h(
    'table',
    { class: 'region-table' },
    h(
      'thead',
      {},
      h('tr', {}, ...[title, 'Pictures', capital(word)].map((name) => h('th', { scope: 'col' }, name))),
    ),
    h(
      'tbody',
      {},
      ...rows
        .slice(0, most)
        .map((row) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, row.name === '' ? 'unlabelled' : row.name),
            h('td', {}, count(row.pictures)),
            h('td', {}, count(row.reported)),
          ),
        ),
      rows.length > most &&
        h('tr', {}, h('th', { scope: 'row' }, `and ${rows.length - most} more`), h('td'), h('td')),
    ),
  );

/** Before a time and from it on, side by side. */
export function compareTable(before: Summary, after: Summary, word: string): HTMLElement {
  const line = (name: string, say: (s: Summary) => string): HTMLElement =>
    h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, say(before)), h('td', {}, say(after)));
  return h(
    'table',
    { class: 'region-table compared' },
    h(
      'thead',
      {},
      h('tr', {}, h('td'), ...['Before', 'From then on'].map((t) => h('th', { scope: 'col' }, t))),
    ),
    h(
      'tbody',
      {},
      line('Pictures', (s) => count(s.pictures)),
      line(capital(word), (s) => count(s.reported)),
      line('Share', shareText),
      line('Walked', (s) => kilometresText(s.kilometres)),
      line(`${capital(word)} per km`, perKilometre),
    ),
  );
}

const toLocal = (ms: number): string =>
  new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

export class RegionPanel {
  readonly root = h('section', { class: 'region-card', 'aria-label': 'Region' });

  pictures = false; // whether the server lets any leave

  constructor(private readonly actions: RegionActions) {
    this.root.hidden = true;
  }

  hide(): void {
    this.root.hidden = true;
    clear(this.root);
  }

  /** While corners are being set. */
  drawing(corners: number, undo: () => void, done: () => void): void {
    this.root.hidden = false;
    clear(
      this.root,
      this.head('Draw a region'),
      h('p', { class: 'soft' }, 'Click or tap its corners on the map; end at the first one, or here.'),
      h(
        'div',
        { class: 'buttons' },
        h('button', { class: 'button strong', disabled: corners < 3, onclick: done }, 'Done'),
        h('button', { class: 'button', disabled: corners === 0, onclick: undo }, 'Undo corner'),
      ),
    );
  }

  loading(): void {
    this.root.hidden = false;
    clear(
      this.root,
      this.head('Region'),
      h('p', { class: 'soft', role: 'status' }, 'Reading its pictures …'),
    );
  }

  failed(why: string): void {
    clear(this.root, this.head('Region'), h('p', { class: 'inline-notice', role: 'alert' }, why));
  }

  show({ rows, whole }: RegionRows, split: number | null, word: string): void {
    this.root.hidden = false;
    const focus = (document.activeElement as HTMLElement | null)?.dataset['key'];
    const all = summarize(rows);
    const figure = (name: string, value: string): HTMLElement =>
      h('div', {}, h('dt', {}, name), h('dd', {}, value));
    const none = all.pictures === 0;
    clear(
      this.root,
      this.head('Region'),
      none && h('p', { class: 'soft' }, 'No picture that passes the filters was taken here.'),
      !whole &&
        h(
          'p',
          { class: 'inline-notice' },
          `Only the newest ${count(mostRows)} pictures around it are counted: draw it smaller, or filter.`,
        ),
      !none &&
        h(
          'dl',
          { class: 'figures region-figures' },
          figure('Pictures', count(all.pictures)),
          figure(capital(word), count(all.reported)),
          figure('Walked', kilometresText(all.kilometres)),
          figure('Per km', perKilometre(all)),
        ),
      !none &&
        h(
          'p',
          { class: 'soft' },
          `${capital(word)} in ${shareText(all)} of the pictures, with 95 % confidence.`,
          all.first !== null && all.last !== null && ` ${moment(all.first)} – ${moment(all.last)}.`,
        ),
      !none && tallyTable('Label', word, all.labels, 6),
      this.strip(rows),
      !none && this.comparison(rows, split, word),
      !none &&
        h(
          'div',
          { class: 'buttons' },
          h(
            'button',
            { class: 'button strong', 'data-key': 'print', onclick: this.actions.print },
            'Print report',
          ),
          h('button', { class: 'button', 'data-key': 'link', onclick: () => void this.copy() }, 'Copy link'),
          h('button', { class: 'button', 'data-key': 'geo', onclick: this.actions.geoJson }, 'GeoJSON'),
          h('button', { class: 'button', 'data-key': 'csv', onclick: this.actions.csv }, 'CSV'),
        ),
    );
    if (focus) this.root.querySelector<HTMLElement>(`[data-key="${focus}"]`)?.focus();
  }

  /** The newest pictures that are shown at all, those worth a report first. */
  private strip(rows: RegionRows['rows']): HTMLElement | false {
    if (!this.pictures) return false;
    const order = (d: Placed): number => (d.positive ? 1e15 : 0) + d.id;
    const shown = rows
      .filter((d) => d.thumbnail)
      .sort((a, b) => order(b) - order(a))
      .slice(0, mostPictures);
    if (shown.length === 0) return false;
    return h(
      'div',
      { class: 'strip', role: 'group', 'aria-label': 'Pictures' },
      ...shown.map((d) =>
        h(
          'button',
          { 'aria-label': `${d.label || 'unlabelled'}, ${d.device}`, onclick: () => this.actions.pick(d) },
          h('img', { src: `/api/thumbnails/${d.id}`, alt: '', loading: 'lazy' }),
        ),
      ),
    );
  }

  private comparison(rows: RegionRows['rows'], split: number | null, word: string): HTMLElement {
    const input = h('input', {
      type: 'datetime-local',
      'data-key': 'split',
      value: split === null ? '' : toLocal(split),
      onchange: () => {
        const ms = new Date(input.value).getTime();
        this.actions.split(Number.isFinite(ms) ? ms : null);
      },
    });
    const [before, after] = split === null ? [[], []] : splitAt(rows, split);
    return h(
      'div',
      { class: 'before-after' },
      h('label', {}, h('span', { class: 'caption' }, 'Compare before and after'), input),
      split !== null && compareTable(summarize(before), summarize(after), word),
    );
  }

  private async copy(): Promise<void> {
    await this.actions.link();
    const button = this.root.querySelector<HTMLElement>('[data-key=link]');
    if (button) button.textContent = 'Copied';
  }

  private head(title: string): HTMLElement {
    return h(
      'header',
      {},
      h('h2', {}, title),
      h('button', { class: 'icon', 'aria-label': 'Close the region', onclick: this.actions.close }, '✕'),
    );
  }
}

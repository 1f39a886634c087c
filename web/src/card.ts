// One detection in full: what was seen, where, how it travelled and where its time went.
import { type Config, type Detection, isPlaced, scoreWords, stages, totalMs } from './api';
import { clear, h } from './dom';
import { bytes, degrees, heading, millis, moment } from './format';
import { foundList, picture } from './found_view';

/** How a time of capture is known, after the time itself. */
const known: Record<Detection['captured_from'], string> = {
  none: '',
  file: "date of the picture's file",
  assumed: "camera's clock, its zone assumed",
  offset: "camera's clock",
  gps: 'GPS clock',
  clock: "device's clock",
};
const taken = (d: Detection): string =>
  d.captured === undefined
    ? 'time unknown'
    : `${moment(d.captured)} · ${known[d.captured_from] ?? d.captured_from}`;

function row(name: string, value: string): HTMLElement {
  return h('div', { class: 'row' }, h('dt', {}, name), h('dd', {}, value));
}

/** Stage times as one bar, with a list beneath that says the same in words. */
export function stageBar(times: Record<string, number>): HTMLElement {
  const known = stages.filter((stage) => times[stage.name] !== undefined);
  const total = known.reduce((sum, stage) => sum + times[stage.name]!, 0);
  const bar = h('div', { class: 'bar', 'aria-hidden': 'true' });
  for (const stage of known) {
    const part = h('span', {
      class: `part ${stage.where}`,
      title: `${stage.title} ${millis(times[stage.name]!)}`,
    });
    part.style.flexGrow = String(times[stage.name]! / Math.max(total, 1e-9));
    bar.append(part);
  }
  const list = h('ul', { class: 'stages' });
  for (const stage of known) {
    list.append(
      h(
        'li',
        {},
        h('span', { class: `dot ${stage.where}`, 'aria-hidden': 'true' }),
        h('span', {}, stage.title),
        h('b', {}, millis(times[stage.name]!)),
      ),
    );
  }
  return h('div', {}, bar, list);
}

/** Where several pictures lie on each other: which of them this is, and how to see the others. */
export interface Pager {
  at: number;
  of: number;
  turn: (by: number) => void;
}

function pagerOf({ at, of, turn }: Pager): HTMLElement {
  const button = (name: string, text: string, by: number): HTMLElement =>
    h('button', { class: 'icon', 'aria-label': name, 'data-turn': by, onclick: () => turn(by) }, text);
  return h(
    'div',
    { class: 'pager' },
    button('The one before at this place', '‹', -1),
    `${at + 1} of ${of} here`,
    button('The next at this place', '›', 1),
  );
}

export function drawCard(
  panel: HTMLElement,
  d: Detection | null,
  config: Config,
  word: string,
  close: () => void,
  pager: Pager | null = null,
): void {
  panel.hidden = d === null;
  if (d === null) {
    clear(panel);
    return;
  }
  clear(
    panel,
    h(
      'header',
      {},
      h(
        'h2',
        {},
        d.label === '' ? 'Unlabelled' : d.label,
        h('span', { class: `badge ${d.positive ? 'positive' : ''}` }, scoreWords(d, word)),
      ),
      h('button', { class: 'icon', 'aria-label': 'Close details', onclick: close }, '✕'),
    ),
    pager && pagerOf(pager),
    d.thumbnail && config.thumbnails && picture(d),
    foundList(d),
    h(
      'dl',
      {},
      row('Device', d.device),
      row('Taken', taken(d)),
      row('Mechanism', d.mechanism),
      row(d.mechanism === 'unchanged' ? 'Since' : 'Cut', d.cut === '' ? '—' : d.cut),
      row('Codec', `${d.codec}, ${bytes(d.bytes)}`),
      row(
        'Position',
        isPlaced(d)
          ? degrees(d.lat, d.lon, config.decimals ?? 5) +
              (d.accuracy_m !== undefined ? ` ± ${Math.round(d.accuracy_m)} m` : '')
          : 'unknown',
      ),
      d.heading_deg !== undefined && row('Heading', heading(d.heading_deg)),
      row('Model', d.model.slice(0, 12)),
    ),
    h('h3', {}, 'Where the time went', h('b', {}, millis(totalMs(d)))),
    stageBar(d.stages_ms),
  );
}

// One page on paper about a region: its map, its figures, what was seen, and how all of it was counted.
import { capital } from './api';
import { clear, h } from './dom';
import { count, moment } from './format';
import { type Region, splitAt, summarize } from './region';
import { compareTable, kilometresText, perKilometre, shareText, tallyTable } from './region_panel';
import type { RegionRows } from './region_rows';

export interface Report {
  title: string;
  region: Region;
  rows: RegionRows;
  split: number | null;
  word: string;
  filters: string; // in words; empty: none
  picture: string; // of the map, a data address
  credits: string; // whose map it is
  link: string;
}

export function printReport(root: HTMLElement, report: Report): void {
  const { rows, split, word } = report;
  const all = summarize(rows.rows);
  const figure = (name: string, value: string): HTMLElement =>
    h('div', {}, h('dt', {}, name), h('dd', {}, value));
  const now = Date.now();
  clear(
    root,
    h('h1', {}, `${report.title}: a region`),
    h(
      'p',
      { class: 'report-when' },
      `Printed ${new Date(now).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })} UTC`,
      report.filters && ` · ${report.filters}`,
    ),
    h('img', { src: report.picture, alt: 'Map of the region' }),
    h(
      'dl',
      { class: 'figures' },
      figure('Pictures', count(all.pictures)),
      figure(capital(word), count(all.reported)),
      figure('Share (95 %)', shareText(all)),
      figure('Walked', kilometresText(all.kilometres)),
      figure(`${capital(word)} per km`, perKilometre(all)),
    ),
    all.first !== null &&
      all.last !== null &&
      h(
        'p',
        {},
        `Taken between ${moment(all.first)} and ${moment(all.last)} by ${count(all.devices.length)} devices.`,
      ),
    h(
      'div',
      { class: 'report-tables' },
      tallyTable('Label', word, all.labels, 8),
      tallyTable('Device', word, all.devices, 8),
      split !== null &&
        h(
          'div',
          {},
          h('p', {}, `Before and from ${moment(split)} on:`),
          compareTable(...(splitAt(rows.rows, split).map(summarize) as [never, never]), word),
        ),
    ),
    h(
      'p',
      { class: 'report-small' },
      !rows.whole && 'Only the newest pictures around the region are counted. ',
      'Walked is the way between positions of one device in a row, as far as it is known and lies within the region. The share is of pictures, not of ',
      'places; its interval is Wilson’s. ',
      `Map: ${report.credits}. ${report.link}`,
    ),
  );
  const image = root.querySelector('img')!;
  void image.decode().finally(() => print());
}

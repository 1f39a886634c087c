// The pictures in a region: from the server page by page, and into files.
import { ask, type Detection, type Page, type Placed } from './api';
import { boxOf, type Region, within } from './region';
import { type Filter, filterQuery } from './state';

/** More pictures than so many in the box round a region are not read. */
export const mostRows = 50_000;
const aPage = 10_000;

export interface RegionRows {
  rows: Placed[];
  lastId: number; // live ones after it are to be added
  whole: boolean; // false: the oldest are missing
}

export async function regionRows(region: Region, filter: Filter, signal: AbortSignal): Promise<RegionRows> {
  const query = filterQuery(filter);
  const box = boxOf(region);
  query.set('box', [box.west, box.south, box.east, box.north].map((edge) => edge.toFixed(6)).join(','));
  query.set('limit', String(aPage));
  const all: Detection[] = [];
  for (let first: Page | null = null; ; ) {
    const page: Page = await ask<Page>('/api/detections', query, signal);
    first ??= page;
    all.push(...page.detections);
    const oldest = page.detections.at(-1);
    const whole = !page.more || oldest === undefined;
    if (whole || all.length >= mostRows) {
      return { rows: within(all, region), lastId: first.last_id, whole };
    }
    query.set('before', String(oldest.id));
  }
}

export function geoJson(rows: Placed[]): string {
  const features = rows.map(({ lat, lon, ...properties }) => ({
    type: 'Feature',
    id: properties.id,
    geometry: { type: 'Point', coordinates: [lon, lat] },
    properties,
  }));
  return `${JSON.stringify({ type: 'FeatureCollection', features })}\n`;
}

/** A cell that a spreadsheet takes for text: what begins like a formula gets a quote in front. */
export function csvCell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const safe = /^[\s\p{Cc}]*[=+\-@＝＋－＠]/u.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csv(rows: Placed[]): string {
  const head = 'id,device,captured,lat,lon,label,score,reported,mechanism,cut,codec,bytes';
  const lines = rows.map((d) =>
    [
      d.id,
      d.device,
      d.captured === undefined ? '' : new Date(d.captured).toISOString(),
      d.lat,
      d.lon,
      d.label,
      d.score,
      d.positive ? 1 : 0,
      d.mechanism,
      d.cut,
      d.codec,
      d.bytes,
    ]
      .map(csvCell)
      .join(','),
  );
  return [head, ...lines, ''].join('\r\n');
}

/** Hands a text, or bytes, to the browser as a file. */
export function save(name: string, type: string, text: string | Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

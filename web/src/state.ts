// What the viewer has chosen. All of it lives in the address, so that a link shows the same view.

import { type Region, readRegion, writeRegion } from './region';

export interface View {
  lon: number;
  lat: number;
  zoom: number;
}
export interface Filter {
  labels: string[];
  devices: string[];
  mechanisms: string[];
  found: string[]; // labels of boxes, any of
  foundLeast: number; // so many of them at least; 0: one, where labels are named
  minScore: number;
  positive: boolean;
  from: number | null; // ms
  to: number | null;
}
/** What hexagons say, or the warmth of all of it. */
export const layers = ['counts', 'share', 'heat'] as const;
export type Layer = (typeof layers)[number];

export interface State {
  view: View | null;
  filter: Filter;
  follow: boolean; // the map goes where new detections are
  byMechanism: boolean; // points are coloured by mechanism instead of score
  layer: Layer;
  embed: boolean; // the map alone, in a frame of another page
  selected: number | null;
  region: Region | null; // somebody drew it
  split: number | null; // ms: the region's pictures are compared before and after
}

export const noFilter = (): Filter => ({
  labels: [],
  devices: [],
  mechanisms: [],
  found: [],
  foundLeast: 0,
  minScore: 0,
  positive: false,
  from: null,
  to: null,
});

export const isFiltered = (f: Filter): boolean =>
  f.labels.length + f.devices.length + f.mechanisms.length + f.found.length + f.foundLeast > 0 ||
  f.minScore > 0 ||
  f.positive ||
  f.from !== null ||
  f.to !== null;

/** A number of the address, or null for anything else. */
function number(text: string | null, low: number, high: number): number | null {
  if (text === null || text.trim() === '') return null;
  const value = Number(text);
  return Number.isFinite(value) && value >= low && value <= high ? value : null;
}

const latest = 253_402_300_800_000;

export function readState(address: Location | URL): State {
  const query = new URLSearchParams(address.search);
  const lat = number(query.get('lat'), -90, 90);
  const lon = number(query.get('lon'), -180, 180);
  const zoom = number(query.get('z'), 0, 24);
  return {
    view: lat !== null && lon !== null && zoom !== null ? { lat, lon, zoom } : null,
    filter: {
      labels: query.getAll('label').slice(0, 32),
      devices: query.getAll('device').slice(0, 32),
      mechanisms: query.getAll('mechanism').slice(0, 32),
      found: query.getAll('found').slice(0, 32),
      foundLeast: Math.floor(number(query.get('found_least'), 1, 300) ?? 0),
      minScore: number(query.get('min_score'), 0, 1) ?? 0,
      positive: query.get('positive') === '1',
      from: number(query.get('from'), 0, latest),
      to: number(query.get('to'), 0, latest),
    },
    follow: query.get('follow') === '1',
    byMechanism: query.get('colour') === 'mechanism',
    embed: query.get('embed') === '1',
    layer: layers.find((name) => name === query.get('layer')) ?? 'counts',
    selected: number(query.get('id'), 1, Number.MAX_SAFE_INTEGER),
    region: readRegion(query.get('region')),
    split: number(query.get('split'), 0, latest),
  };
}

/** The filter as the API takes it. */
export function filterQuery(filter: Filter): URLSearchParams {
  const query = new URLSearchParams();
  for (const label of filter.labels) query.append('label', label);
  for (const device of filter.devices) query.append('device', device);
  for (const mechanism of filter.mechanisms) query.append('mechanism', mechanism);
  for (const label of filter.found) query.append('found', label);
  if (filter.foundLeast > 0) query.set('found_least', String(filter.foundLeast));
  if (filter.minScore > 0) query.set('min_score', String(filter.minScore));
  if (filter.positive) query.set('positive', '1');
  if (filter.from !== null) query.set('from', String(filter.from));
  if (filter.to !== null) query.set('to', String(filter.to));
  return query;
}

/** The filter as people say it; empty: everything. */
export function filterWords(f: Filter): string {
  const least = f.foundLeast > 1 ? `at least ${f.foundLeast} of ` : '';
  return [
    f.positive && 'only what is reported',
    f.labels.length > 0 && `label ${f.labels.join(' or ')}`,
    f.found.length + f.foundLeast > 0 && `found ${least}${f.found.join(' or ') || 'anything'}`,
    f.mechanisms.length > 0 && f.mechanisms.join(' or '),
    f.devices.length > 0 && `device ${f.devices.join(' or ')}`,
    f.minScore > 0 && `score at least ${Math.round(f.minScore * 100)} %`,
    f.from !== null && `from ${new Date(f.from).toISOString().slice(0, 16)} UTC`,
    f.to !== null && `until ${new Date(f.to).toISOString().slice(0, 16)} UTC`,
  ]
    .filter(Boolean)
    .join(', ');
}

export function writeState(state: State): string {
  const query = filterQuery(state.filter);
  if (state.follow) query.set('follow', '1');
  if (state.byMechanism) query.set('colour', 'mechanism');
  if (state.embed) query.set('embed', '1');
  if (state.layer !== 'counts') query.set('layer', state.layer);
  if (state.selected !== null) query.set('id', String(state.selected));
  if (state.region) query.set('region', writeRegion(state.region));
  if (state.region && state.split !== null) query.set('split', String(state.split));
  if (state.view) {
    const decimals = Math.max(2, Math.ceil(state.view.zoom / 3));
    query.set('lat', state.view.lat.toFixed(decimals));
    query.set('lon', state.view.lon.toFixed(decimals));
    query.set('z', state.view.zoom.toFixed(2));
  }
  const text = query.toString().replaceAll('%2C', ',').replaceAll('%3B', ';');
  return text ? `/?${text}` : '/';
}

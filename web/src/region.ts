// A part of the map that somebody drew, and what is to be said of the pictures in it.
import { type Detection, isPlaced, type Placed } from './api';
import { wrapLon } from './extent';
import { kilometres, ways } from './tracks';

export type Corner = [number, number]; // longitude (beyond ±180 where it was drawn across the 180th meridian), latitude
export type Region = Corner[]; // three at least; the last joins the first

export const mostCorners = 60;

/** Whether a place lies within; a border belongs to one side of it. */
export function isInside(region: Region, lat: number, lon: number): boolean {
  return [lon, lon - 360, lon + 360].some((x) => {
    let inside = false;
    region.forEach(([ax, ay], i) => {
      const [bx, by] = region[(i + 1) % region.length]!;
      if (ay > lat !== by > lat && x < ((bx - ax) * (lat - ay)) / (by - ay) + ax) inside = !inside;
    });
    return inside;
  });
}

/** The box round it, as the server takes boxes. */
export function boxOf(region: Region): { west: number; south: number; east: number; north: number } {
  const lons = region.map(([lon]) => lon);
  const lats = region.map(([, lat]) => lat);
  const [west, east] = [Math.min(...lons), Math.max(...lons)];
  const wide = east - west >= 360;
  return {
    west: wide ? -180 : wrapLon(west),
    east: wide ? 180 : wrapLon(east),
    south: Math.min(...lats),
    north: Math.max(...lats),
  };
}

/** For the address: "8.54123,47.37112;…". */
export const writeRegion = (region: Region): string =>
  region.map(([lon, lat]) => `${lon.toFixed(5)},${lat.toFixed(5)}`).join(';');

export function readRegion(text: string | null): Region | null {
  if (text === null) return null;
  const corners = text.split(';').map((pair) => pair.split(',').map(Number));
  const fine = corners.every(
    (pair) =>
      pair.length === 2 &&
      pair.every(Number.isFinite) &&
      Math.abs(pair[0]!) <= 540 &&
      Math.abs(pair[1]!) <= 90,
  );
  return fine && corners.length >= 3 && corners.length <= mostCorners ? (corners as Region) : null;
}

export interface Tally {
  name: string;
  pictures: number;
  reported: number;
}

export interface Summary {
  pictures: number;
  reported: number;
  kilometres: number;
  first: number | null; // ms
  last: number | null;
  labels: Tally[];
  devices: Tally[];
}

function tallies(rows: Detection[], name: (d: Detection) => string): Tally[] {
  const all = new Map<string, Tally>();
  for (const d of rows) {
    const tally = all.get(name(d)) ?? { name: name(d), pictures: 0, reported: 0 };
    tally.pictures += 1;
    tally.reported += d.positive ? 1 : 0;
    all.set(tally.name, tally);
  }
  return [...all.values()].sort((a, b) => b.pictures - a.pictures || a.name.localeCompare(b.name));
}

export function summarize(rows: Placed[]): Summary {
  const times = rows.flatMap((d) => (d.captured === undefined ? [] : [d.captured]));
  return {
    pictures: rows.length,
    reported: rows.filter((d) => d.positive).length,
    kilometres: kilometres(ways(rows)),
    first: times.length === 0 ? null : times.reduce((a, b) => Math.min(a, b)),
    last: times.length === 0 ? null : times.reduce((a, b) => Math.max(a, b)),
    labels: tallies(rows, (d) => d.label),
    devices: tallies(rows, (d) => d.device),
  };
}

/** Pictures before a time and from then on; those without a time are in neither. */
export function splitAt(rows: Placed[], at: number): [Placed[], Placed[]] {
  const timed = rows.filter((d) => d.captured !== undefined);
  return [timed.filter((d) => d.captured! < at), timed.filter((d) => d.captured! >= at)];
}

/** What a share of so many pictures is with 95 % confidence: Wilson's interval. */
export function interval(reported: number, pictures: number): [number, number] {
  if (pictures === 0) return [0, 1];
  const z = 1.959964;
  const p = reported / pictures;
  const middle = p + (z * z) / (2 * pictures);
  const reach = z * Math.sqrt((p * (1 - p)) / pictures + (z * z) / (4 * pictures * pictures));
  const scale = 1 + (z * z) / pictures;
  return [Math.max(0, (middle - reach) / scale), Math.min(1, (middle + reach) / scale)];
}

export const within = (rows: Iterable<Detection>, region: Region): Placed[] =>
  [...rows].filter(isPlaced).filter((d) => isInside(region, d.lat, d.lon));

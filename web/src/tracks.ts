// The ways that devices went: positions of one run in the order of capture, broken where nobody knows how they went on.
import type { Placed } from './api';

export type Line = [number, number][]; // longitude, latitude

/** Metres between two places, along the sphere. */
export function metres(a: { lat: number; lon: number }, b: { lat: number; lon: number }): number {
  const rad = Math.PI / 180;
  const dLat = (b.lat - a.lat) * rad;
  const dLon = (b.lon - a.lon) * rad;
  const s = Math.sin(dLat / 2) ** 2 + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(dLon / 2) ** 2;
  return 2 * 6_371_000 * Math.asin(Math.min(1, Math.sqrt(s)));
}

/** Where pictures are missing between two, the way between them is known only as long as it is short. */
const mostUnseen = 50; // m
const mostSeen = 2000; // m between two pictures in a row
const longestPause = 600_000; // ms

/** The points of each way, in order. Ways of a single point are ways of no length. */
export function ways(points: Iterable<Placed>): Placed[][] {
  const runs = new Map<string, Placed[]>();
  for (const point of points) {
    const key = JSON.stringify([point.device, point.run]);
    const run = runs.get(key);
    if (run) run.push(point);
    else runs.set(key, [point]);
  }
  const all: Placed[][] = [];
  for (const run of runs.values()) {
    // By capture where all of them have a time; else as the device counted them.
    const timed = run.every((d) => d.captured !== undefined);
    run.sort((a, b) => (timed ? a.captured! - b.captured! : 0) || a.sequence - b.sequence);
    let way: Placed[] = [];
    for (const point of run) {
      const before = way.at(-1);
      if (before && isBroken(before, point, timed)) {
        all.push(way);
        way = [];
      }
      way.push(point);
    }
    all.push(way);
  }
  return all;
}

function isBroken(a: Placed, b: Placed, timed: boolean): boolean {
  if (timed && b.captured! - a.captured! > longestPause) return true;
  const unseen = Math.abs(b.sequence - a.sequence) > 1;
  return metres(a, b) > (unseen ? mostUnseen : mostSeen);
}

export const linesOf = (all: Placed[][]): Line[] =>
  all.filter((way) => way.length > 1).map((way) => way.map((d) => [d.lon, d.lat]));

/** How far all of them went. */
export const kilometres = (all: Placed[][]): number =>
  all.reduce((sum, way) => sum + way.reduce((m, d, i) => (i === 0 ? 0 : m + metres(way[i - 1]!, d)), 0), 0) /
  1000;

// What the page knows of the store: the cells or points in view, and the newest detections. Live ones join what the
// server counted; each id counts once, whichever way it came.
import { type Cells, type Detection, type Placed, isPlaced } from './api';
import { cellAt, corners, mercator, unproject } from './hexgrid';
import type { Box, HexFeature } from './map_view';
import type { Filter } from './state';
import { type Line, linesOf, ways } from './tracks';

interface Cell {
  x: number;
  y: number;
  count: number;
  positives: number;
  maxScore: number;
  newest: number;
}

const recentMost = 5000;
/** More than so many detections in view are drawn as hexagons: far away they would lie on each other. */
export const pointsMost = (zoom: number): number => (zoom >= 9.5 ? 1500 : 40);

/** What has no time passes only where time does not matter. */
const inTime = (captured: number | undefined, { from, to }: Filter): boolean =>
  captured === undefined
    ? from === null && to === null
    : (from === null || captured >= from) && (to === null || captured < to);

function foundIn(d: Detection, { found, foundLeast }: Filter): boolean {
  const least = foundLeast || (found.length > 0 ? 1 : 0);
  return (
    least === 0 ||
    (d.boxes ?? []).filter((box) => found.length === 0 || found.includes(box.label)).length >= least
  );
}

export function passes(d: Detection, filter: Filter): boolean {
  return (
    (filter.labels.length === 0 || filter.labels.includes(d.label)) &&
    (filter.devices.length === 0 || filter.devices.includes(d.device)) &&
    (filter.mechanisms.length === 0 || filter.mechanisms.includes(d.mechanism)) &&
    d.score >= filter.minScore &&
    (!filter.positive || d.positive) &&
    inTime(d.captured, filter) &&
    foundIn(d, filter)
  );
}

export function contains(box: Box, lat: number, lon: number): boolean {
  if (lat < box.south || lat > box.north) return false;
  return box.west <= box.east ? lon >= box.west && lon <= box.east : lon >= box.west || lon <= box.east;
}

export class Model {
  level = 0;
  total = 0;
  /** Points in view when there are few enough of them. */
  points: Map<number, Placed> | null = null;
  private cells = new Map<string, Cell>();
  private box: Box | null = null;
  private lastId = 0;
  private most = 0;
  private recent: Detection[] = []; // the newest live ones, to add to an answer that was asked before them

  /** An answer of /api/hexagons for a box. */
  take(answer: Cells, box: Box, filter: Filter, most: number): void {
    this.level = answer.level;
    this.box = box;
    this.lastId = answer.last_id;
    this.total = answer.total;
    this.most = most;
    this.cells.clear();
    for (const [lon, lat, count, positives, maxScore, newest] of answer.cells) {
      const [x, y] = mercator(lat, lon);
      this.cells.set(cellAt(answer.level, lat, lon).key, { x, y, count, positives, maxScore, newest });
    }
    const few = answer.detections ?? (answer.total === 0 ? [] : null);
    this.points = few === null ? null : new Map(few.filter(isPlaced).map((d) => [d.id, d]));
    for (const d of this.recent) this.add(d, filter);
  }

  /** A live detection; true when it shows in the loaded box. */
  live(d: Detection, filter: Filter): boolean {
    this.recent.push(d);
    if (this.recent.length > recentMost) this.recent.splice(0, recentMost / 5);
    return this.add(d, filter);
  }

  forget(): void {
    this.recent = [];
    this.cells.clear();
    this.points = null;
    this.box = null;
    this.lastId = 0;
    this.total = 0;
  }

  private add(d: Detection, filter: Filter): boolean {
    if (d.id <= this.lastId || !isPlaced(d) || this.box === null) return false;
    this.lastId = d.id;
    if (!passes(d, filter) || !contains(this.box, d.lat, d.lon)) return false;
    this.total += 1;
    const { key, x, y } = cellAt(this.level, d.lat, d.lon);
    const cell = this.cells.get(key) ?? { x, y, count: 0, positives: 0, maxScore: 0, newest: 0 };
    cell.count += 1;
    cell.positives += d.positive ? 1 : 0;
    cell.maxScore = Math.max(cell.maxScore, d.score);
    cell.newest = Math.max(cell.newest, d.captured ?? 0);
    this.cells.set(key, cell);
    this.points?.set(d.id, d);
    if (this.points && this.points.size > this.most) this.points = null;
    return true;
  }

  hexagons(): HexFeature[] {
    return [...this.cells.values()].map((cell) => ({
      ring: corners(this.level, cell.x, cell.y),
      count: cell.count,
      positives: cell.positives,
      maxScore: cell.maxScore,
      newest: cell.newest,
    }));
  }

  /** Where how much is worth a report, the most as 1: of points or of hexagons. */
  heat(): { lon: number; lat: number; weight: number }[] {
    if (this.points) {
      return [...this.points.values()]
        .filter((d) => d.positive)
        .map(({ lon, lat }) => ({ lon, lat, weight: 0.5 }));
    }
    const cells = [...this.cells.values()].filter((cell) => cell.positives > 0);
    const most = cells.reduce((high, cell) => Math.max(high, cell.positives), 1);
    return cells.map(({ x, y, positives }) => {
      const [lon, lat] = unproject(x, y);
      return { lon, lat, weight: Math.sqrt(positives / most) };
    });
  }

  /** The ways of the devices in view. */
  tracks(): Line[] {
    return linesOf(ways(this.points?.values() ?? []));
  }
}

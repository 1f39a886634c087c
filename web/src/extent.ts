// The box round hexagons: where everything is.
import type { Cell } from './api';

/** In degrees; east beyond 180 where it crosses the 180th meridian. */
export interface Extent {
  west: number;
  south: number;
  east: number;
  north: number;
}

/** Within ±180. */
export const wrapLon = (lon: number): number => ((((lon + 180) % 360) + 360) % 360) - 180;

/** The smallest box that holds the cells of a level, with half a cell around their centres; null: there are none. */
export function extentOf(cells: Cell[], level: number): Extent | null {
  if (cells.length === 0) return null;
  const margin = 360 / (16 * 2 ** level) / 2;
  const lons = cells.map(([lon]) => lon).sort((a, b) => a - b);
  const lats = cells.map(([, lat]) => lat);
  // The widest gap between neighbours round the world is what the box leaves out.
  let [gap, first] = [lons[0]! + 360 - lons.at(-1)!, 0];
  for (let i = 1; i < lons.length; i += 1) {
    if (lons[i]! - lons[i - 1]! > gap) [gap, first] = [lons[i]! - lons[i - 1]!, i];
  }
  const west = lons[first]! - margin;
  const east = (first === 0 ? lons.at(-1)! : lons[first - 1]! + 360) + margin;
  const south = lats.reduce((a, b) => Math.min(a, b)) - margin;
  const north = lats.reduce((a, b) => Math.max(a, b)) + margin;
  return { west, south: Math.max(-90, south), east, north: Math.min(90, north) };
}

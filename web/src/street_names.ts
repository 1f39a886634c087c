// The names in a base map's archive: streets, places and waters, to be searched.
import { VectorTile } from '@mapbox/vector-tile';
import Pbf from 'pbf';
import type { PMTiles } from 'pmtiles';
import { wrapLon } from './extent';
import type { Part, Schema } from './street_schemas';
import { metres } from './tracks';

export interface Named {
  name: string;
  kind: 'street' | 'place' | 'water';
  lat: number;
  lon: number;
}

/** So many tiles are read at most: of a town all, of the world those around the view. */
export const mostTiles = 144;
/** Two pieces of a street within so many metres are one street. */
const sameStreet = 1500;

const tileX = (lon: number, z: number): number => Math.floor(((lon + 180) / 360) * 2 ** z);
function tileY(lat: number, z: number): number {
  const rad = (Math.max(-85, Math.min(85, lat)) * Math.PI) / 180;
  return Math.floor(((1 - Math.asinh(Math.tan(rad)) / Math.PI) / 2) * 2 ** z);
}

/** Tiles around a place within bounds, the nearest first. */
export function tilesAround(
  at: { lat: number; lon: number },
  bounds: { west: number; south: number; east: number; north: number },
  z: number,
): [number, number][] {
  const last = 2 ** z - 1;
  const [west, east] = [tileX(bounds.west, z), Math.min(last, tileX(bounds.east, z))];
  const [north, south] = [Math.max(0, tileY(bounds.north, z)), Math.min(last, tileY(bounds.south, z))];
  const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));
  const [cx, cy] = [clamp(tileX(at.lon, z), west, east), clamp(tileY(at.lat, z), north, south)];
  const reach = Math.ceil(Math.sqrt(mostTiles));
  const tiles: [number, number][] = [];
  for (let x = Math.max(west, cx - reach); x <= Math.min(east, cx + reach); x += 1)
    for (let y = Math.max(north, cy - reach); y <= Math.min(south, cy + reach); y += 1) tiles.push([x, y]);
  const far = ([x, y]: [number, number]): number => (x - cx) ** 2 + (y - cy) ** 2;
  return tiles.sort((a, b) => far(a) - far(b)).slice(0, mostTiles);
}

/** Of one tile. */
function namesIn(bytes: ArrayBuffer, schema: Schema, z: number, x: number, y: number): Named[] {
  const tile = new VectorTile(new Pbf(new Uint8Array(bytes)));
  const names: Named[] = [];
  const read = ({ layer: id }: Part, kind: Named['kind']): void => {
    const layer = tile.layers[id];
    if (!layer) return;
    for (let i = 0; i < layer.length; i += 1) {
      const feature = layer.feature(i);
      const { name } = feature.properties;
      if (typeof name !== 'string' || name === '') continue;
      const line = feature.loadGeometry()[0];
      const before = line?.[Math.floor((line.length - 1) / 2)];
      const behind = line?.[Math.floor(line.length / 2)];
      if (!before || !behind) continue;
      const scale = 2 ** z * layer.extent;
      const px = (x * layer.extent + (before.x + behind.x) / 2) / scale;
      const py = (y * layer.extent + (before.y + behind.y) / 2) / scale;
      const lat = (Math.atan(Math.sinh(Math.PI * (1 - 2 * py))) * 180) / Math.PI;
      names.push({ name, kind, lat, lon: wrapLon(px * 360 - 180) });
    }
  };
  read(schema.places, 'place');
  read(schema.roadNames, 'street');
  for (const part of schema.waterNames) read(part, 'water');
  return names;
}

/** The names around a place, each street once; tiles that cannot be had are left out. */
export async function namesAround(
  archive: PMTiles,
  schema: Schema,
  at: { lat: number; lon: number },
): Promise<Named[]> {
  const { minLon, minLat, maxLon, maxLat, maxZoom } = await archive.getHeader();
  const z = Math.min(14, maxZoom);
  const bounds = { west: minLon, south: minLat, east: maxLon, north: maxLat };
  const known = new Map<string, Named[]>();
  const tiles = await Promise.all(
    tilesAround(at, bounds, z).map(async ([x, y]) => {
      const tile = await archive.getZxy(z, x, y).catch(() => undefined);
      return tile ? namesIn(tile.data, schema, z, x, y) : [];
    }),
  );
  for (const one of tiles.flat()) {
    const same = known.get(one.name) ?? [];
    if (!same.some((other) => metres(other, one) < sameStreet)) known.set(one.name, [...same, one]);
  }
  return [...known.values()].flat();
}

const folded = (text: string): string =>
  text.normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll('ß', 'ss').toLowerCase();

/** Those that hold every word of what was typed, those that begin with it first, near ones before far ones. */
export function search(names: Named[], typed: string, at: { lat: number; lon: number }, most = 8): Named[] {
  const words = folded(typed).split(/\s+/u).filter(Boolean);
  if (words.length === 0) return [];
  const rank = (one: Named): number => (folded(one.name).startsWith(words[0]!) ? 0 : 1);
  return names
    .filter((one) => words.every((word) => folded(one.name).includes(word)))
    .sort((a, b) => rank(a) - rank(b) || metres(at, a) - metres(at, b))
    .slice(0, most);
}

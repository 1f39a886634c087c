// What the server says, typed, and how to ask.
import { percent } from './format';

/** x and y are the upper left corner; all four are parts of the picture. */
export interface FoundBox {
  label: string;
  score: number;
  x: number;
  y: number;
  w: number;
  h: number;
}

/** Cells that cover the picture row by row, as runs: a place among the shares (255: not seen) and how many cells, again and again. */
export interface Mask {
  width: number;
  height: number;
  runs: number[];
}

export interface Detection {
  id: number;
  device: string;
  run: string;
  sequence: number;
  captured?: number; // ms; without, nobody knows
  captured_from: 'none' | 'file' | 'assumed' | 'offset' | 'gps' | 'clock';
  stored: number;
  lat?: number;
  lon?: number;
  accuracy_m?: number;
  heading_deg?: number;
  label: string;
  score: number;
  positive: boolean;
  // What the network said, where that is more than label and score: one of these.
  classes?: { label: string; score: number }[];
  boxes?: FoundBox[];
  boxes_cut_off?: number;
  shares?: { label: string; share: number }[];
  mask?: Mask;
  numbers?: { name: string; value: number; unit?: string }[];
  raw?: { name: string; shape: number[] }[];
  mechanism: string;
  cut: string;
  codec: string;
  model: string;
  bytes: number;
  stages_ms: Record<string, number>;
  thumbnail?: boolean;
}
export type Placed = Detection & { lat: number; lon: number };
export const isPlaced = (d: Detection): d is Placed => d.lat !== undefined && d.lon !== undefined;

export interface Page {
  epoch: string;
  oldest: number;
  last_id: number;
  more: boolean;
  untimed: number;
  detections: Detection[];
}
/** lon, lat, count, positives, highest score, newest capture. */
export type Cell = [number, number, number, number, number, number];
export interface Cells {
  epoch: string;
  oldest: number;
  last_id: number;
  counted_id: number; // rows up to here are counted: below last_id while a large store is being read
  untimed: number;
  level: number;
  total: number;
  cells: Cell[];
  detections?: Detection[];
}
export interface Tally {
  name: string;
  count: number;
  positives: number;
  bytes: number;
  first: number;
  last: number;
}
export interface Inventory {
  epoch: string;
  count: number;
  oldest: number;
  last_id: number;
  first: number;
  last: number;
  devices: Tally[];
  labels: Tally[];
  mechanisms: Tally[];
  models: Tally[];
}
/** In how many pictures boxes of a label were found, and how many boxes. */
export interface FoundTally {
  label: string;
  pictures: number;
  boxes: number;
}
export interface Config {
  title: string;
  epoch: string;
  thumbnails: boolean;
  decimals: number | null;
  basemap: { kind: 'land' | 'tiles' | 'vector' | 'pmtiles'; url: string; attribution: string };
}

/** The stages in the order a frame passes them, and where each runs. */
export const stages: { name: string; title: string; where: 'edge' | 'wait' | 'network' | 'cloud' }[] = [
  { name: 'read', title: 'Read', where: 'edge' },
  { name: 'resize', title: 'Resize', where: 'edge' },
  { name: 'prefix', title: 'Prefix', where: 'edge' },
  { name: 'encode', title: 'Encode', where: 'edge' },
  { name: 'window', title: 'Window', where: 'wait' },
  { name: 'network', title: 'Network', where: 'network' },
  { name: 'queue', title: 'Queue', where: 'wait' },
  { name: 'decode', title: 'Decode', where: 'cloud' },
  { name: 'suffix', title: 'Suffix', where: 'cloud' },
  { name: 'store', title: 'Store', where: 'cloud' },
];

/** What the map calls pictures that are worth a report: by the label that the networks' cards look for where there is one, else by
 *  no more than that. */
export function reportedWord(inventory: Inventory | null): string {
  const looked = (inventory?.labels ?? []).filter((label) => label.positives > 0 && label.name !== '');
  return looked.length === 1 ? looked[0]!.name : 'reported';
}
/** How sure the network is, and of what where that is not the picture's own label: a score is of the label that is looked for, so "clean
 *  4 %" would say the opposite of what is meant. `word`: see reportedWord. */
export function scoreWords(d: Detection, word: string): string {
  const own = d.positive || word === 'reported' || d.label === word;
  return own ? percent(d.score) : `${word} ${percent(d.score)}`;
}
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const totalMs = (d: Detection): number => Object.values(d.stages_ms).reduce((sum, ms) => sum + ms, 0);

export const unreachable = 'The server does not answer. What is shown may be old.';

export async function ask<T>(
  path: string,
  query: URLSearchParams = new URLSearchParams(),
  signal?: AbortSignal,
): Promise<T> {
  const text = query.toString();
  // Before its answer, or in the middle of it: what is no JSON is another matter.
  const gone = (error: unknown): never => {
    if (signal?.aborted || error instanceof SyntaxError) throw error;
    throw new Error(unreachable);
  };
  const response = await fetch(text ? `${path}?${text}` : path, { signal }).catch(gone);
  if (!response.ok) {
    const said = (await response.json().catch(() => null)) as { error?: string } | null;
    throw new Error(said?.error ?? `the server answered ${response.status}`);
  }
  return (await response.json().catch(gone)) as T;
}

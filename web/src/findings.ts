// What a network found in a picture, made ready to be drawn: no elements here.
import type { Detection, FoundBox, Mask } from './api';

/** A box as parts of its picture that CSS takes, within it even where rounding was not. */
export interface Place {
  left: string;
  top: string;
  width: string;
  height: string;
}

const part = (value: number): number => Math.min(1, Math.max(0, value));
const css = (value: number): string => `${+(100 * value).toFixed(3)}%`;

export function placeOf(box: FoundBox): Place {
  const [left, top] = [part(box.x), part(box.y)];
  return {
    left: css(left),
    top: css(top),
    width: css(Math.min(part(box.w), 1 - left)),
    height: css(Math.min(part(box.h), 1 - top)),
  };
}

/** Where a box's name stands: above its upper left corner, or where there is no room, inside the picture. */
export function nameOf(box: FoundBox): { left: string; top: string; classes: string } {
  const { left, top } = placeOf(box);
  const right = part(box.x) > 0.65;
  return {
    left: right ? css(Math.min(1, part(box.x) + part(box.w))) : left,
    top,
    classes: ['box-name', box.y < 0.1 && 'below', right && 'leftwards']
      .filter((name) => name !== false)
      .join(' '),
  };
}

export interface Group {
  label: string;
  count: number;
  surest: number;
}

/** The labels of boxes, each with how often it was found: the one that is most, then the surest, first. */
export function groupsOf(boxes: FoundBox[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { label, score } of boxes) {
    const group = groups.get(label) ?? { label, count: 0, surest: 0 };
    group.count += 1;
    group.surest = Math.max(group.surest, score);
    groups.set(label, group);
  }
  return [...groups.values()].sort((a, b) => b.count - a.count || b.surest - a.surest);
}

/** So many boxes have their label written beside them: more would hide the picture. */
export const namedBoxes = 6;

export const findsMore = (d: Detection): boolean =>
  [d.classes, d.boxes, d.shares, d.numbers, d.raw].some((list) => list !== undefined);

export interface Stripe {
  place: number;
  x: number;
  y: number;
  length: number;
}

/** A mask's runs as stripes of one row each, in cells; none of what lies beyond the mask. */
export function stripesOf({ width, height, runs }: Mask): Stripe[] {
  const stripes: Stripe[] = [];
  let at = 0;
  for (let i = 0; i + 1 < runs.length; i += 2) {
    const end = Math.min(at + runs[i + 1]!, width * height);
    while (at < end) {
      const x = at % width;
      const length = Math.min(width - x, end - at);
      stripes.push({ place: runs[i]!, x, y: Math.floor(at / width), length });
      at += length;
    }
  }
  return stripes;
}

/** So many numbers are listed: an embedding has a thousand. */
export const listedNumbers = 24;

/** A number as it is read: whole ones whole, others to four digits. */
export const figure = (value: number): string =>
  Number.isInteger(value)
    ? String(value)
    : Math.abs(value) >= 1e5
      ? value.toExponential(3)
      : String(+value.toPrecision(4));

/** One sentence for those who cannot see the boxes. */
export function spokenBoxes(d: Detection): string {
  const groups = groupsOf(d.boxes ?? []);
  return groups.length === 0
    ? 'nothing found'
    : groups.map(({ label, count }) => (count === 1 ? label : `${label} × ${count}`)).join(', ');
}

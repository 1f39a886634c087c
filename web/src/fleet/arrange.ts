// Which devices are shown, and in which order.
import { type Device, type Health, healthOf, healths, missing, type Patience } from './device';

/** What a column is ordered by; numbers the larger first, texts from A. */
const keys = {
  device: (d: Device) => d.name,
  state: (d: Device, now: number, patience: Patience) => healths.indexOf(healthOf(d, now, patience)),
  heard: (d: Device) => d.heard,
  rate: (d: Device) => d.images_per_second,
  way: (d: Device) => `${d.mechanism} ${d.cut} ${d.codec}`,
  bytes: (d: Device) => d.measured.bytes?.p50 ?? -1,
  reported: (d: Device) => (d.frames === 0 ? -1 : d.positives / d.frames),
  total: (d: Device) => d.measured.total_ms?.p50 ?? -1,
  missing,
  kept: (d: Device) => (d.counts ? d.counts.waiting + d.counts.dead + d.counts.dropped : -1),
} as const;

export type SortKey = keyof typeof keys;
export const isSortKey = (text: string): text is SortKey => Object.hasOwn(keys, text);

export interface View {
  search: string;
  states: Set<Health>; // none: all
  sort: SortKey;
  turned: boolean; // the other way round
}

/** Whether every word of the search is in the device's name, or in how it runs. */
export function found(device: Device, search: string): boolean {
  const text =
    `${device.name} ${device.mechanism} ${device.cut} ${device.codec} ${device.model} ${device.label}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Equal ones stay in the order of their names, so that rows do not jump about. */
export function arrange(devices: Device[], view: View, now: number, patience: Patience): Device[] {
  const key = keys[view.sort];
  const compare = (a: Device, b: Device): number => {
    const [x, y] = [key(a, now, patience), key(b, now, patience)];
    const order =
      typeof x === 'string' || typeof y === 'string'
        ? String(x).localeCompare(String(y), 'en', { numeric: true })
        : y - x;
    return order === 0 ? a.name.localeCompare(b.name, 'en', { numeric: true }) : view.turned ? -order : order;
  };
  return devices
    .filter((d) => found(d, view.search))
    .filter((d) => view.states.size === 0 || view.states.has(healthOf(d, now, patience)))
    .sort(compare);
}

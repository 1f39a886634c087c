// A device as the fleet's page knows it, and how it is.
import type { DeviceCounts } from '../device_counts';

export interface Quantiles {
  p50: number;
  p95: number;
}

export interface Device {
  name: string;
  run: string;
  captured: number;
  stored: number;
  heard: number;
  images_per_second: number;
  bytes_per_second: number;
  frames: number;
  positives: number;
  unchanged: number;
  sent: number;
  arrived: number;
  mechanism: string;
  cut: string;
  codec: string;
  model: string;
  label: string;
  counts?: DeviceCounts;
  measured: { bytes?: Quantiles; total_ms?: Quantiles };
  stages_ms: Record<string, Quantiles>;
}

/** Worst last: a device that loses frames needs somebody even while it is heard. */
export const healths = ['ok', 'late', 'silent', 'failing'] as const;
export type Health = (typeof healths)[number];

/** After how long without a detection a device is late, and silent. */
export interface Patience {
  name: string;
  lateMs: number;
  silentMs: number;
}
const minutes = (n: number): number => n * 60_000;
export const patiences: Patience[] = [
  { name: '1 and 10 min', lateMs: minutes(1), silentMs: minutes(10) },
  { name: '10 min and 1 h', lateMs: minutes(10), silentMs: minutes(60) },
  { name: '1 h and 1 day', lateMs: minutes(60), silentMs: minutes(24 * 60) },
];

/** Failing: it says that frames of its were refused for ever, or given up for want of room. */
export function healthOf(device: Device, now: number, patience: Patience): Health {
  const quiet = now - device.heard;
  if (quiet >= patience.silentMs) return 'silent';
  if (device.counts !== undefined && device.counts.dead + device.counts.dropped > 0) return 'failing';
  return quiet >= patience.lateMs ? 'late' : 'ok';
}

/** When it began to be late or silent; nothing for what has no beginning that anybody knows. */
export function healthSince(device: Device, health: Health, patience: Patience): number | undefined {
  if (health === 'silent') return device.heard + patience.silentMs;
  return health === 'late' ? device.heard + patience.lateMs : undefined;
}

export const missing = (device: Device): number => Math.max(0, device.sent - device.arrived);

// What devices say of their own frames, in words.
import { count } from './format';

export interface DeviceCounts {
  waiting: number;
  dead: number;
  dropped: number;
}

/** What waits, and what was refused for ever or given up; a dash until the device has said it. */
export function keptWords(counts: DeviceCounts | undefined): { waits: string; lost: string } {
  if (counts === undefined) return { waits: '—', lost: '' };
  const lost = [
    counts.dead > 0 && `${count(counts.dead)} dead ${counts.dead === 1 ? 'letter' : 'letters'}`,
    counts.dropped > 0 && `${count(counts.dropped)} dropped`,
  ].filter((words) => words !== false);
  return {
    waits:
      counts.waiting > 0 ? `${count(counts.waiting)} waiting` : lost.length > 0 ? 'none waiting' : 'nothing',
    lost: lost.join(', '),
  };
}

/** Over all devices that said it; a dash where none did. */
export function sumOfCounts(devices: { counts?: DeviceCounts }[], of: keyof DeviceCounts): string {
  const told = devices.flatMap((d) => (d.counts ? [d.counts[of]] : []));
  return told.length === 0 ? '—' : count(told.reduce((sum, n) => sum + n, 0));
}

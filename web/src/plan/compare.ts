// Two plans beside each other: what was asked differently, what comes of it, and what of the difference is known.
import { bytes as human, millis } from '../format';
import { type Candidate, type Machines, type Network, type Plan, placeOf } from './answer';
import { defaults, flags, numbers, type Question, texts } from './question';
import { euro, figure } from './scale';
import { payload } from './words';

/** A plan with what was asked, and the line that is looked at: its own, or another that was chosen. */
export interface Planned {
  question: Question;
  plan: Plan;
  network: Network;
  line: Candidate;
}

export interface CompareRow {
  name: string;
  a: string;
  b: string;
  /** B less A, in words; empty where there is none or it has no size. */
  difference: string;
  /** Whose is better; '' for neither, and where the difference is within what is known. */
  better: 'a' | 'b' | '';
  /** The difference is no larger than the times are uncertain. */
  tied: boolean;
}

/**
 * How uncertain B's latency less A's is, ms. One machine's error is one factor on all that it runs, so with one machine on both
 * sides only what they run differently is in doubt (docs/planner.md, Ties); two machines err each by itself.
 */
export function uncertainty(a: Planned, b: Planned): number {
  const parts = (['edge', 'cloud'] as const).map((side) => {
    const [ea, eb] = [a.plan.uncertainty[side], b.plan.uncertainty[side]];
    const [ta, tb] = [a.line.latency_ms[side], b.line.latency_ms[side]];
    const same = a.question.text[side] === b.question.text[side];
    return same && a.network.name === b.network.name ? ea * (tb - ta) : Math.hypot(ea * ta, eb * tb);
  });
  return Math.hypot(...parts);
}

interface Measure {
  name: string;
  of: (p: Planned) => number | null;
  say: (value: number) => string;
  more?: true; // more is better
  doubt?: (a: Planned, b: Planned) => number;
}
const measures: Measure[] = [
  { name: 'Latency', of: (p) => p.line.latency_ms.total, say: millis, doubt: uncertainty },
  { name: 'At the 95th percentile', of: (p) => p.line.latency_p95_ms, say: millis, doubt: uncertainty },
  { name: 'Bytes an image', of: (p) => p.line.bytes, say: (v) => human(Math.round(v)) },
  { name: 'Money, a device and month', of: (p) => p.line.cost_per_device_month, say: euro },
  { name: 'Energy of the device, an image', of: (p) => p.line.energy_mj, say: (v) => `${figure(v)} mJ` },
  { name: 'Images a second at most', of: (p) => 1000 / p.line.period_ms, say: figure, more: true },
  { name: 'Memory of the device', of: (p) => p.line.edge_memory_bytes, say: (v) => human(Math.round(v)) },
  {
    name: 'Verdicts as the whole network’s',
    of: (p) => p.line.agreement,
    say: (v) => `${figure(100 * v)} %`,
    more: true,
  },
];

function measured(m: Measure, a: Planned, b: Planned): CompareRow {
  const [va, vb] = [m.of(a), m.of(b)];
  const row = {
    name: m.name,
    a: va === null ? 'not known' : m.say(va),
    b: vb === null ? 'not known' : m.say(vb),
  };
  if (va === null || vb === null) return { ...row, difference: '', better: '', tied: false };
  const by = vb - va;
  const doubt = m.doubt?.(a, b) ?? 0;
  if (Math.abs(by) <= 1e-9 * Math.max(Math.abs(va), Math.abs(vb))) {
    return { ...row, difference: 'the same', better: '', tied: false };
  }
  const tied = Math.abs(by) <= doubt;
  const difference = `${by > 0 ? '+' : '−'}${m.say(Math.abs(by))}${doubt > 0 ? ` ± ${m.say(doubt)}` : ''}`;
  return { ...row, difference, tied, better: tied ? '' : by > 0 === (m.more ?? false) ? 'b' : 'a' };
}

export function compare(a: Planned, b: Planned): CompareRow[] {
  const said = (name: string, of: (p: Planned) => string): CompareRow => ({
    name,
    a: of(a),
    b: of(b),
    difference: of(a) === of(b) ? 'the same' : '',
    better: '',
    tied: false,
  });
  return [
    said('Line', (p) => placeOf(p.line, p.network)),
    said('Sent', (p) => payload(p.line)),
    ...measures.map((m) => measured(m, a, b)),
  ];
}

const words: Partial<Record<string, string>> = {
  model: 'network',
  integers: 'precision',
  edge: 'device',
  up: 'uplink',
  rtt: 'round trip',
  data_price: 'price of data',
  rate: 'images a second',
  max_disagreement: 'verdicts that may differ',
};
const wordOf = (name: string): string => words[name] ?? name.replaceAll('_', ' ');

/** "device: jetson-nano → raspberry-pi-4": what B was asked otherwise than A. */
export function changes(a: Question, b: Question, machines: Machines): string[] {
  const list: string[] = [];
  const tell = (name: string, was: string, is: string): void => {
    if (was !== is) list.push(`${wordOf(name)}: ${was} → ${is}`);
  };
  const plain: Partial<Record<string, string>> = {
    edge: 'jetson-nano',
    cloud: 't2.micro',
    link: '4g',
    objective: 'latency',
    integers: 'float',
    deliver: 'cloud',
  };
  for (const name of texts) {
    if (name === 'y') continue;
    tell(name, a.text[name] ?? plain[name] ?? 'any', b.text[name] ?? plain[name] ?? 'any');
  }
  const [ownA, ownB] = [defaults(a, machines), defaults(b, machines)];
  for (const name of numbers) {
    if (a.number[name] === undefined && b.number[name] === undefined) continue; // goes with machine or link
    const say = (value: number): string => (Number.isNaN(value) ? 'any' : String(value));
    tell(name, say(a.number[name] ?? ownA[name]), say(b.number[name] ?? ownB[name]));
  }
  for (const name of flags) tell(name, a.flag[name] ? 'yes' : 'no', b.flag[name] ? 'yes' : 'no');
  return list;
}

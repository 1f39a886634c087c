// The figures behind each chart, as tables for files.
import type { Answer, Candidate, Plan } from './answer';
import type { Cells } from './export';

const stages = ['edge', 'encode', 'uplink', 'decode', 'cloud', 'downlink', 'total'] as const;
const known = (value: number | null): number | string => value ?? '';

const line = (c: Candidate): (string | number)[] => [
  c.cut,
  c.alias ?? '',
  c.name,
  c.tensors.length,
  c.codec,
  c.bytes,
  known(c.agreement),
  ...stages.map((stage) => c.latency_ms[stage]),
  c.latency_p95_ms,
  c.cost_per_device_month,
  c.energy_mj,
  c.violates.join(' '),
  c.runnable ? 1 : 0,
];
const names = [
  'cut',
  'alias',
  'crosses',
  'tensors',
  'codec',
  'bytes',
  'agreement',
  ...stages.map((stage) => `${stage}_ms`),
  'p95_ms',
  'euro_device_month',
  'energy_mj',
  'violates',
  'runnable',
];

export const cutCells = (answer: Answer): Cells => [names, ...answer.candidates.map(line)];

export const envelopeCells = (plan: Plan): Cells => [
  ['from_mbps', 'to_mbps', 'cut', 'alias', 'codec', `fixed_${plan.certificate.unit}`, 'slope'],
  ...plan.envelope.map((e) => [e.from_mbps, e.to_mbps, e.cut, e.alias ?? '', e.codec, e.fixed, e.slope]),
];

export const scatterCells = (plan: Plan, y: string): Cells => [
  ['cut', 'codec', 'latency_ms', y, 'allowed', 'on_the_front'],
  ...plan.scatter.map(([cut, codec, a, b, allowed]) => [
    cut,
    codec,
    known(a),
    known(b),
    allowed ? 1 : 0,
    plan.pareto.some((p) => p.cut === cut && p.codec === codec && p.x === a && p.y === b) ? 1 : 0,
  ]),
];

export const rivalCells = (plan: Plan): Cells => [
  ['what', ...names],
  ['this plan', ...line(plan.best)],
  ...plan.rivals.map((r) => [r.title, ...line(r)]),
];

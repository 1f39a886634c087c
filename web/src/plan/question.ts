// What is asked of the planner. The page's address, the API's query and the command line say the same: only what differs
// from the machines' and links' own figures is in it.
import type { Machines } from './answer';

/** Numbers that a slider or a field sets; absent: the library's own. */
export const numbers = [
  'up',
  'down',
  'rtt',
  'loss',
  'data_price',
  'rate',
  'devices',
  'device_price',
  'rent',
  'electricity',
  'lifetime',
  'cloud_load',
  'max_latency',
  'max_latency_p95',
  'min_agreement',
  'min_metric',
  'max_cost',
  'max_memory',
  'max_data',
  'max_disagreement',
] as const;
export type NumberName = (typeof numbers)[number];
export const texts = [
  'model',
  'integers',
  'edge',
  'cloud',
  'link',
  'objective',
  'codec',
  'deliver',
  'not_before',
  'y',
] as const;
export type TextName = (typeof texts)[number];
export const flags = ['never_send_input', 'ignore_credits', 'two_way', 'strict', 'ideal'] as const;
export type FlagName = (typeof flags)[number];

export interface Question {
  text: Partial<Record<TextName, string>>;
  number: Partial<Record<NumberName, number>>;
  flag: Partial<Record<FlagName, boolean>>;
}

export function readQuestion(search: string): Question {
  const query = new URLSearchParams(search);
  const question: Question = { text: {}, number: {}, flag: {} };
  for (const name of texts) {
    const value = query.get(name);
    if (value) question.text[name] = value;
  }
  for (const name of numbers) {
    const value = query.get(name);
    if (value !== null && value.trim() !== '' && Number.isFinite(Number(value)))
      question.number[name] = Number(value);
  }
  for (const name of flags) if (query.get(name) === '1') question.flag[name] = true;
  return question;
}

export function writeQuestion(question: Question): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of texts) if (question.text[name]) query.set(name, question.text[name]!);
  for (const name of numbers)
    if (question.number[name] !== undefined) query.set(name, String(question.number[name]));
  for (const name of flags) if (question.flag[name]) query.set(name, '1');
  return query;
}

/** The figures that hold when nothing is said: the API's defaults, the chosen machines' and link's own. */
export function defaults(question: Question, machines: Machines): Record<NumberName, number> {
  const named = (name: string | undefined, fallback: string): string => name ?? fallback;
  const link = machines.links.find((l) => l.name === named(question.text.link, '4g'));
  const all = [...machines.devices, ...machines.clouds];
  const edge = all.find((m) => m.name === named(question.text.edge, 'jetson-nano'));
  const cloud = all.find((m) => m.name === named(question.text.cloud, 't2.micro'));
  return {
    up: link?.up_mbps ?? 8,
    down: link?.down_mbps ?? 8,
    rtt: link?.rtt_ms ?? 0,
    loss: link?.loss ?? 0,
    data_price: link?.euro_per_gb ?? 0,
    rate: 1,
    devices: 100,
    device_price: edge?.price?.euro ?? 0,
    rent: cloud?.rent?.euro_per_hour ?? 0,
    electricity: 0.2,
    lifetime: 12,
    cloud_load: 0,
    max_latency: NaN,
    max_latency_p95: NaN,
    min_agreement: NaN,
    min_metric: NaN,
    max_cost: NaN,
    max_memory: NaN,
    max_data: NaN,
    max_disagreement: 0,
  };
}

const flagOf: Partial<Record<NumberName, string>> = {
  rate: '--rate',
  devices: '--devices',
  device_price: '--device-price',
  rent: '--rent',
  electricity: '--electricity',
  lifetime: '--lifetime',
  cloud_load: '--cloud-load',
  max_latency: '--max-latency',
  max_latency_p95: '--max-latency-p95',
  min_agreement: '--min-agreement',
  min_metric: '--min-metric',
  max_cost: '--max-cost',
  max_memory: '--max-memory',
  max_data: '--max-data',
  max_disagreement: '--max-disagreement',
};

/** A word as a shell takes it. */
export const quote = (word: string): string =>
  /^[\w.,:=/+@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** The same question to the program. */
export function commandOf(question: Question, model: string): string {
  const q = question;
  let link = q.text.link ?? '4g';
  for (const [name, key] of [
    ['up', 'up'],
    ['down', 'down'],
    ['rtt', 'rtt'],
    ['loss', 'loss'],
    ['data_price', 'price'],
  ] as const) {
    if (q.number[name] !== undefined) link += `,${key}=${q.number[name]}`;
  }
  const words = [
    'fogline plan',
    quote(`${model}.onnx`),
    '--edge',
    quote(q.text.edge ?? 'jetson-nano'),
    '--cloud',
    quote(q.text.cloud ?? 't2.micro'),
    '--link',
    quote(link),
  ];
  if (q.text.integers) words.push('--integers', quote(`${q.text.integers}.onnx`));
  if (q.text.objective) words.push('--objective', quote(q.text.objective));
  if (q.text.codec) words.push('--codec', quote(q.text.codec));
  if (q.text.deliver) words.push('--deliver', quote(q.text.deliver));
  if (q.text.not_before) words.push('--not-before', quote(q.text.not_before));
  if (q.text.y) words.push('--pareto', quote(`latency,${q.text.y}`));
  for (const name of numbers) {
    const value = q.number[name] ?? (name === 'devices' ? 100 : undefined); // the command says nothing of a fleet unless it is asked
    if (flagOf[name] && value !== undefined) words.push(flagOf[name]!, String(value));
  }
  if (q.flag.never_send_input) words.push('--never-send-input');
  if (q.flag.ignore_credits) words.push('--ignore-credits');
  if (q.flag.two_way) words.push('--two-way');
  if (q.flag.strict) words.push('--strict');
  if (q.flag.ideal) words.push('--ideal');
  return words.join(' ');
}

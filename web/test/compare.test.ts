import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Candidate, Machines, Network, Plan, Tie } from '../src/plan/answer';
import { cutCells } from '../src/plan/cells';
import { changes, compare, type Planned, uncertainty } from '../src/plan/compare';
import { csvText } from '../src/plan/export';
import { found } from '../src/plan/finder';
import { readQuestion } from '../src/plan/question';
import { tieRows } from '../src/plan/ties_chart';

const network = { name: 'net', cuts: [{ index: 5, mechanism: 'split' }] } as unknown as Network;
const line = (edge: number, cloud: number, euros: number, agreement: number | null = 1): Candidate =>
  ({
    cut: 5,
    alias: 'split5',
    name: 'relu',
    tensors: ['relu'],
    codec: 'q4',
    bytes: 900,
    bytes_estimated: false,
    agreement,
    latency_ms: { edge, encode: 0, uplink: 10, decode: 0, cloud, downlink: 0, total: edge + 10 + cloud },
    latency_p95_ms: edge + 12 + cloud,
    cost_per_device_month: euros,
    energy_mj: 10,
    period_ms: 20,
    edge_memory_bytes: 1e6,
    violates: [],
    runnable: true,
  }) as unknown as Candidate;
const planned = (query: string, c: Candidate, edge = 0.1, cloud = 0.05): Planned => ({
  question: readQuestion(query),
  plan: { best: c, uncertainty: { edge, cloud, source: '', text: '' } } as unknown as Plan,
  network,
  line: c,
});

test('one machine errs alike in both plans, two machines each by itself', () => {
  const a = planned('?edge=pi', line(100, 20, 1));
  assert.ok(Math.abs(uncertainty(a, planned('?edge=pi', line(80, 20, 1))) - 2) < 1e-9);
  assert.equal(
    uncertainty(a, planned('?edge=pi&up=3', line(100, 20, 1))),
    0,
    'the link alone differs: nothing is in doubt',
  );
  const other = planned('?edge=nano', line(80, 20, 1), 0.2);
  assert.ok(Math.abs(uncertainty(a, other) - Math.hypot(0.1 * 100, 0.2 * 80)) < 1e-9);
});

test('a difference within the uncertainty is nobody’s merit; beyond it the better one is named', () => {
  const rows = compare(planned('', line(100, 20, 4)), planned('?edge=nano', line(98, 20, 3, 0.97)));
  const row = (name: string) => rows.find((r) => r.name === name)!;
  assert.equal(row('Latency').tied, true);
  assert.equal(row('Latency').better, '');
  assert.match(row('Latency').difference, /^−2\.0 ms ± /);
  assert.equal(row('Money, a device and month').better, 'b');
  assert.equal(row('Verdicts as the whole network’s').better, 'a');
  assert.equal(row('Line').difference, 'the same');
  assert.equal(row('Energy of the device, an image').difference, 'the same');
  assert.equal(compare(planned('', line(1, 1, 1, null)), planned('', line(1, 1, 1))).at(-1)!.difference, '');
});

test('what was asked otherwise is said, and what goes with a machine is not', () => {
  const machines = { devices: [], clouds: [], links: [] } as Machines;
  const said = (a: string, b: string): string[] => changes(readQuestion(a), readQuestion(b), machines);
  assert.deepEqual(said('', '?edge=pi&up=3&strict=1'), [
    'device: jetson-nano → pi',
    'uplink: 8 → 3',
    'strict: no → yes',
  ]);
  assert.deepEqual(said('?max_latency=50', ''), ['max latency: 50 → any']);
  assert.deepEqual(said('?y=energy&edge=pi', '?edge=pi'), []);
});

test('ties stand in order of what they cost, the plan among them, at most eight', () => {
  const tie = (above: number): Tie =>
    ({ cut: 5, codec: 'q4', alias: null, above_cheapest: above, uncertainty: 2 }) as unknown as Tie;
  const plan = {
    best: { ...line(1, 1, 1), objective: 10.5 },
    certificate: { optimum: 10 },
    ties: [tie(1.5), tie(0), tie(1)],
  } as unknown as Plan;
  assert.deepEqual(
    tieRows(plan).map((r) => [r.above, r.own]),
    [
      [0, false],
      [0.5, true],
      [1, false],
      [1.5, false],
    ],
  );
  const many = { ...plan, ties: Array.from({ length: 20 }, (_, i) => tie(i)) } as Plan;
  assert.equal(tieRows(many).length, 8);
  assert.equal(tieRows(many).filter((r) => r.own).length, 1);
});

test('a file has a line for each cut under as many names, and no cell is a formula', () => {
  const cells = cutCells({
    candidates: [line(1, 2, 3), { ...line(1, 2, 3), name: '=cmd()' }],
  } as unknown as Plan);
  assert.equal(cells.length, 3);
  for (const row of cells) assert.equal(row.length, cells[0]!.length);
  const text = csvText(cells);
  assert.equal(text.split('\r\n').length, 4);
  assert.match(text, /"'=cmd\(\)"/);
});

test('machines are found as they are written, else by their words', () => {
  const names = ['Raspberry Pi 4, 4 x Cortex-A72', 'Banana Pi M2, 4 x Cortex-A7', 'NVIDIA Jetson Nano'];
  assert.deepEqual(found(names, ' pi 4'), [true, false, false]);
  assert.deepEqual(found(names, 'cortex pi'), [true, true, false]);
  assert.deepEqual(found(names, ''), [true, true, true]);
  assert.deepEqual(found(names, 'tpu'), [false, false, false]);
});

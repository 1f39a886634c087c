import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Candidate, Network, Plan, Step } from '../src/plan/answer';
import { along, envelopeWords, piecesWithin, priceAt } from '../src/plan/envelope';
import { commandOf, readQuestion, writeQuestion } from '../src/plan/question';
import { fromSlider, ranges, steps, toSlider } from '../src/plan/ranges';
import { times } from '../src/plan/rivals';
import { euro, figure, linear, logarithmic, mbps } from '../src/plan/scale';
import { runLines } from '../src/plan/run';
import { headline, moveSentence, notRun, ruledOut, term } from '../src/plan/words';

test('a scale goes there and back, and its ticks lie within', () => {
  for (const scale of [
    linear(-3, 17, 50, 550),
    logarithmic(0.02, 1000, 50, 550),
    logarithmic(4, 5, 550, 50),
  ]) {
    for (const value of [scale.low, (scale.low + scale.high) / 2, scale.high]) {
      assert.ok(Math.abs(scale.back(scale.at(value)) - value) < 1e-9 * Math.abs(scale.high));
    }
    assert.ok(scale.ticks.length >= 2, `${scale.low} to ${scale.high}: ${scale.ticks}`);
    for (const tick of scale.ticks) assert.ok(tick >= scale.low * 0.998 && tick <= scale.high * 1.002);
    assert.deepEqual(
      scale.ticks,
      [...scale.ticks].sort((a, b) => a - b),
    );
  }
});

test('figures have three digits and money has cents', () => {
  assert.equal(figure(0), '0');
  assert.equal(figure(0.000123456), '0.000123');
  assert.equal(figure(1234), '1,230');
  assert.equal(euro(0), '0.00 €');
  assert.equal(euro(0.01234), '0.0123 €');
  assert.equal(euro(12_345.6), '12,346 €');
  assert.equal(mbps(0.42), '420 kbit/s');
  assert.equal(mbps(2500), '2.5 Gbit/s');
});

test('a question comes back from its address, and what is none is left out', () => {
  const asked = readQuestion('?edge=raspberry-pi-4&up=2.5&rtt=&loss=x&strict=1&two_way=0&unknown=7');
  assert.deepEqual(asked, { text: { edge: 'raspberry-pi-4' }, number: { up: 2.5 }, flag: { strict: true } });
  assert.deepEqual(readQuestion(`?${writeQuestion(asked)}`), asked);
});

test('the command line quotes what a shell would take apart', () => {
  const asked = readQuestion('?link=wifi&up=2&objective=cost');
  assert.equal(
    commandOf(asked, "bob's net"),
    "fogline plan 'bob'\\''s net.onnx' --edge jetson-nano --cloud t2.micro --link wifi,up=2 --objective cost --devices 100",
  );
});

const network = {
  cuts: [
    { index: 0, mechanism: 'cloud-only' },
    { index: 5, mechanism: 'split' },
    { index: 9, mechanism: 'edge-only' },
  ],
} as Network;
const step = (from: number, to: number, cut: number, alias: string | null = null): Step => ({
  from_mbps: from,
  to_mbps: to,
  cut,
  codec: 'q5',
  name: '',
  alias,
  fixed: 1,
  slope: 2,
});
const plan = (envelope: Step[], nothing: number | null = null): Plan =>
  ({ envelope, nothing_below_mbps: nothing, fastest_mbps: 1e5 }) as Plan;

test('an envelope in words begins with "below" and ends with "above"', () => {
  const words = envelopeWords(
    plan([step(1e-3, 0.4, 9), step(0.4, 20, 5, 'split13'), step(20, 1e5, 0)]),
    network,
  );
  assert.deepEqual(
    words.map((w) => `${w.range}: ${w.what}`),
    ['below 400 kbit/s: edge-only', '400 kbit/s – 20 Mbit/s: split13', 'above 20 Mbit/s: cloud-only'],
  );
});

test('one plan for all is said so; below a limit the first range is no "below"', () => {
  assert.equal(envelopeWords(plan([step(1e-3, 1e5, 5)]), network)[0]!.range, 'at any uplink');
  assert.equal(
    envelopeWords(plan([step(1e-3, 3, 5), step(3, 1e5, 0)], 1e-3), network)[0]!.range,
    '1 kbit/s – 3 Mbit/s',
  );
});

test('pieces are cut off at the ends of the chart, and what lies beyond is not drawn', () => {
  const all = plan([step(1e-3, 0.01, 9), step(0.01, 20, 5), step(20, 1e5, 0)]);
  const within = piecesWithin(all, 0.02, 1000);
  assert.deepEqual(
    within.map(({ from, to }) => [from, to]),
    [
      [0.02, 20],
      [20, 1000],
    ],
  );
  const ups = along(0.02, 20, 16);
  assert.equal(ups.length, 17);
  assert.ok(Math.abs(ups[0]! - 0.02) < 1e-12 && Math.abs(ups[16]! - 20) < 1e-9);
  assert.ok(Math.abs(ups[8]! ** 2 - 0.02 * 20) < 1e-9, 'the middle of a logarithmic axis');
});

test('a sum falls with the uplink, a period stops at its fixed part, and neither beyond what loss lets through', () => {
  const one = step(1e-3, 1e5, 5); // fixed 1, slope 2
  const free = plan([one]);
  assert.equal(priceAt(one, 4, free, false), 1.5);
  assert.equal(priceAt(one, 4, free, true), 1);
  assert.equal(priceAt(one, 1, free, true), 2);
  const lossy = { ...free, fastest_mbps: 2 } as Plan;
  assert.equal(priceAt(one, 100, lossy, false), 2);
});

test('where the line moves is told of both sides, of another place only, and of the cheapest where there is a tie', () => {
  const steps = [
    step(1e-3, 0.4, 9),
    step(0.4, 3, 5, 'split13'),
    { ...step(3, 20, 5, 'split13'), codec: 'q7' },
    step(20, 1e5, 0),
  ];
  const some = { ...plan(steps), strict: false, ties: [] } as unknown as Plan;
  assert.equal(
    moveSentence(some, 1, network),
    'The line moves below 400 kbit/s to edge-only, above 20 Mbit/s to cloud-only.',
  );
  assert.equal(
    moveSentence({ ...some, ties: [{}] } as Plan, 30, network),
    'The cheapest line moves below 20 Mbit/s to split13.',
  );
  assert.equal(moveSentence({ ...some, envelope: [steps[1]!] }, 1, network), 'No uplink moves the line.');
});

test('what is ruled out or not run says why, without dashes', () => {
  const c = {
    violates: ['--max-latency', '--min-agreement'],
    runnable: false,
    not_runnable: 'two tensors',
  } as unknown as Candidate;
  assert.equal(ruledOut(c), 'ruled out by max latency, min agreement');
  assert.equal(notRun(c), 'not run yet: two tensors');
  assert.equal(ruledOut({ ...c, violates: [] }), '');
});

test('rivals are compared in per cent, then in multiples', () => {
  assert.equal(times(100, 100.2), '');
  assert.equal(times(112, 100), '+12 %');
  assert.equal(times(88, 100), '−12 %');
  assert.equal(times(240, 100), '2.4 ×');
  assert.equal(times(5, 0), '');
});

test('the headline has no term in it, and the terms stand beneath', () => {
  const layers = [10, 30, 60].map((madds, i) => ({ name: `l${i}`, op: 'Conv', madds, params: 0, block: -1 }));
  const some = { ...network, layers, madds: 100 } as unknown as Network;
  const best = (cut: number, edge: [number, number][], alias: string | null = null): Plan['best'] =>
    ({ cut, edge_layers: edge, alias, name: 'relu' }) as unknown as Plan['best'];
  assert.equal(headline(best(9, []), some), 'Run it all on the device');
  assert.equal(headline(best(5, [[0, 1]]), some), 'Run the first 40 % on the device, the rest in the cloud');
  assert.equal(headline(best(5, [[0, 2]]), some), 'Run all but the last layers on the device');
  assert.equal(headline(best(5, []), some), 'Run only the first layers on the device');
  assert.equal(term(best(5, [], 'split6'), some), 'Cut at split6. ');
  assert.equal(term(best(5, []), some), 'Cut 5, after relu. ');
  assert.equal(term(best(0, []), some), '');
});

test('what is to be run is one line each, quoted for a shell, and without quotes for systemd', () => {
  const c = { route: 'my net@160:split6/q4' } as Candidate;
  const asked = readQuestion('?rate=0.5');
  const lines = runLines(c, 'my net', asked, {
    device: 'bike 7',
    source: "it's here",
    broker: 'mqtt://b:1883',
  });
  assert.equal(
    lines.edge,
    "fogline edge --model 'my net.onnx' --route 'my net@160:split6/q4' --device bike-7 --source 'it'\\''s here' --rate 0.5 --broker mqtt://b:1883",
  );
  assert.match(lines.edgeEnv, /^FOGLINE_BROKER=mqtts:\/\/b\nFOGLINE_FLAGS=--model [^'\n]*--spool spool$/);
});

test('a slider goes to what it says, from end to end, and zero is its first place where there is one', () => {
  for (const range of Object.values(ranges)) {
    for (let at = 0; at <= steps; at += 1) {
      const value = fromSlider(range, at);
      const back = fromSlider(range, toSlider(range, value));
      assert.ok(Math.abs(back - value) <= 0.04 * value, `${range.name}: ${value}, then ${back}`);
    }
    assert.equal(toSlider(range, range.high * 2) >= steps, true);
    if (range.zero) assert.equal(fromSlider(range, 0), 0);
    assert.ok(Math.abs(fromSlider(range, steps) / range.high - 1) < 0.01);
  }
});

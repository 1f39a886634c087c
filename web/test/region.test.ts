import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Placed } from '../src/api';
import {
  boxOf,
  interval,
  isInside,
  type Region,
  readRegion,
  splitAt,
  summarize,
  writeRegion,
} from '../src/region';
import { csv, csvCell, geoJson } from '../src/region_rows';
import { kilometres, metres, ways } from '../src/tracks';

const square: Region = [
  [8, 47],
  [9, 47],
  [9, 48],
  [8, 48],
];
let sequence = 0;
const placed = (lat: number, lon: number, more: Partial<Placed> = {}): Placed =>
  ({
    id: ++sequence,
    device: 'a',
    run: '1',
    sequence,
    lat,
    lon,
    label: 'litter',
    score: 0.9,
    positive: true,
    captured: sequence * 1000,
    mechanism: 'split',
    cut: 'c',
    codec: 'q4',
    bytes: 9,
    ...more,
  }) as Placed;

test('a region holds what lies in it, across the 180th meridian too', () => {
  assert.ok(isInside(square, 47.5, 8.5));
  for (const [lat, lon] of [
    [46.9, 8.5],
    [48.1, 8.5],
    [47.5, 7.9],
    [47.5, 9.1],
  ])
    assert.ok(!isInside(square, lat!, lon!));
  const across: Region = [
    [179, -1],
    [181, -1],
    [181, 1],
    [179, 1],
  ];
  assert.ok(isInside(across, 0, 179.5) && isInside(across, 0, -179.5) && !isInside(across, 0, 178));
  assert.deepEqual(boxOf(across), { west: 179, east: -179, south: -1, north: 1 });
  const horseshoe: Region = [
    [0, 0],
    [3, 0],
    [3, 3],
    [2, 3],
    [2, 1],
    [1, 1],
    [1, 3],
    [0, 3],
  ];
  assert.ok(isInside(horseshoe, 2, 0.5) && isInside(horseshoe, 2, 2.5) && !isInside(horseshoe, 2, 1.5));
});

test('as many points at random are inside as triangles of it say', () => {
  const triangle: Region = [
    [0, 0],
    [4, 1],
    [1, 5],
  ];
  const side = (a: number[], b: number[], x: number, y: number): boolean =>
    (b[0]! - a[0]!) * (y - a[1]!) - (b[1]! - a[1]!) * (x - a[0]!) > 0;
  let state = 7;
  const random = (): number => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
  for (let i = 0; i < 2000; i += 1) {
    const [x, y] = [random() * 6 - 1, random() * 7 - 1];
    const wanted = triangle.every((a, k) => side(a, triangle[(k + 1) % 3]!, x, y));
    assert.equal(isInside(triangle, y, x), wanted, `${x} ${y}`);
  }
});

test('a region goes through the address, and nonsense does not', () => {
  assert.deepEqual(readRegion(writeRegion(square)), square);
  for (const bad of [
    null,
    '',
    '1,2;3,4',
    '1,2;3,4;x,5',
    '1,2;3,4;5,99',
    '1,2,3;1,2,3;1,2,3',
    Array(61).fill('1,1').join(';'),
  ])
    assert.equal(readRegion(bad), null, String(bad));
});

test('what was walked is what is known of it', () => {
  const step = 100 / 111_195; // degrees of latitude
  const walk = Array.from({ length: 11 }, (_, i) => placed(47 + i * step, 8));
  assert.ok(Math.abs(metres(walk[0]!, walk[1]!) - 100) < 0.1);
  assert.ok(Math.abs(kilometres(ways(walk)) - 1) < 0.001);
  // Without the one in the middle nobody knows how it went on.
  const holed = walk.filter((_, i) => i !== 5);
  assert.ok(Math.abs(kilometres(ways(holed)) - 0.8) < 0.001);
  assert.equal(ways(holed).length, 2);
  // A short hole is bridged, a long pause is not.
  assert.equal(ways([placed(47, 8, { sequence: 1 }), placed(47.0002, 8, { sequence: 3 })]).length, 1);
  assert.equal(
    ways([placed(47, 8, { sequence: 1, captured: 0 }), placed(47, 8, { sequence: 2, captured: 700_000 })])
      .length,
    2,
  );
  assert.equal(ways([placed(47, 8), placed(47, 8, { device: 'b' })]).length, 2);
});

test('a summary adds up, whole and before and after', () => {
  const rows = [
    placed(47.1, 8.1, { captured: 10 }),
    placed(47.1, 8.1, { captured: 20, label: 'clean', positive: false }),
    placed(47.1, 8.1, { captured: undefined }),
  ];
  const all = summarize(rows);
  assert.equal(all.pictures, 3);
  assert.equal(all.reported, 2);
  assert.deepEqual([all.first, all.last], [10, 20]);
  assert.deepEqual(
    all.labels.map((t) => [t.name, t.pictures, t.reported]),
    [
      ['litter', 2, 2],
      ['clean', 1, 0],
    ],
  );
  assert.deepEqual(
    splitAt(rows, 20).map((part) => part.length),
    [1, 1],
  ); // one has no time
  assert.deepEqual(summarize([]), {
    pictures: 0,
    reported: 0,
    kilometres: 0,
    first: null,
    last: null,
    labels: [],
    devices: [],
  });
});

test('an interval holds its share, and all of them where there is nothing', () => {
  assert.deepEqual(interval(0, 0), [0, 1]);
  for (const [k, n] of [
    [0, 10],
    [3, 10],
    [10, 10],
    [400, 1000],
  ]) {
    const [low, high] = interval(k!, n!);
    assert.ok(low <= k! / n! + 1e-9 && k! / n! <= high + 1e-9 && low >= 0 && high <= 1);
  }
  const [low, high] = interval(10, 100); // Wilson, as tables have it
  assert.ok(Math.abs(low - 0.0552) < 1e-3 && Math.abs(high - 0.1744) < 1e-3);
});

test('files hold every picture, and no cell is a formula', () => {
  const rows = [placed(47.1, 8.1, { label: '=1+1', device: 'a,"b"' })];
  const parsed = JSON.parse(geoJson(rows)) as {
    features: { geometry: { coordinates: number[] }; properties: object }[];
  };
  assert.deepEqual(parsed.features[0]!.geometry.coordinates, [8.1, 47.1]);
  assert.ok(!('lat' in parsed.features[0]!.properties));
  const lines = csv(rows).split('\r\n');
  assert.equal(lines.length, 3);
  assert.match(lines[1]!, /^\d+,"a,""b""",\d{4}-.*Z,47\.1,8\.1,"'=1\+1",0\.9,1,split,c,q4,9$/);
  assert.equal(csvCell(' @x'), `"' @x"`);
  assert.equal(csvCell(-5), '-5');
  assert.equal(csvCell('plain'), 'plain');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClassColours, classColours } from '../src/class_colours';

type Triple = [number, number, number];
const linear = (hex: string): Triple =>
  [1, 3, 5].map((at) => {
    const v = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  }) as Triple;
const times = (m: number[][], v: Triple): Triple =>
  m.map((row) => row.reduce((sum, x, i) => sum + x * v[i]!, 0)) as Triple;

/** Machado, Oliveira and Fernandes (2009), no cone of one kind left. */
const sight: Record<string, number[][]> = {
  'all cones': [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** CIE Lab of linear sRGB, D65. */
function lab(rgb: Triple): Triple {
  const xyz = times(
    [
      [0.4124564, 0.3575761, 0.1804375],
      [0.2126729, 0.7151522, 0.072175],
      [0.0193339, 0.119192, 0.9503041],
    ],
    rgb,
  );
  const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116);
  const [x, y, z] = [f(xyz[0] / 0.95047), f(xyz[1]), f(xyz[2] / 1.08883)];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

test('any two classes look different, whichever cones an eye has', () => {
  for (const [name, matrix] of Object.entries(sight)) {
    const seen = classColours.map((colour) => lab(times(matrix, linear(colour))));
    for (let i = 0; i < seen.length; i += 1) {
      for (let k = 0; k < i; k += 1) {
        const apart = Math.hypot(...seen[i]!.map((v, n) => v - seen[k]![n]!));
        assert.ok(
          apart >= 10,
          `${name}: ${classColours[i]} and ${classColours[k]} are ${apart.toFixed(1)} apart`,
        );
      }
    }
  }
});

test('every colour stands out against the dark edge that is drawn around it', () => {
  for (const colour of classColours) {
    const [, y] = times(
      [
        [0, 0, 0],
        [0.2126, 0.7152, 0.0722],
        [0, 0, 0],
      ],
      linear(colour),
    );
    assert.ok((y + 0.05) / 0.05 >= 4.5, colour);
  }
});

test('a class keeps its colour, and eight classes have eight', () => {
  const first = new ClassColours();
  const names = ['person', 'car', 'dog', 'bicycle', 'bus', 'can', 'truck', 'cat'];
  first.meet(names);
  const colours = names.map((name) => first.of(name));
  assert.equal(new Set(colours).size, names.length);
  first.of('a ninth');
  assert.deepEqual(
    names.map((name) => first.of(name)),
    colours,
  );
  const again = new ClassColours();
  again.meet(names);
  assert.deepEqual(
    names.map((name) => again.of(name)),
    colours,
  );
  assert.ok(classColours.includes(first.of('')));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cell } from '../src/api';
import { extentOf } from '../src/extent';

const at = (lon: number, lat: number): Cell => [lon, lat, 1, 1, 1, 1];

test('a box holds every cell, and is no wider than it must', () => {
  assert.equal(extentOf([], 4), null);
  const one = extentOf([at(8, 47)], 11)!;
  assert.ok(one.west < 8 && one.east > 8 && one.east - one.west < 0.02);
  const two = extentOf([at(-170, -10), at(170, 10)], 4)!; // across the 180th meridian
  assert.ok(two.west < 170 && two.east > 190 && two.east < 192 && two.south < -10 && two.north > 10);
  const world = extentOf([at(-120, 0), at(0, 0), at(119, 0)], 4)!;
  assert.ok(Math.abs(world.west + 120) < 1 && Math.abs(world.east - 119) < 1);
  assert.equal(extentOf([at(0, 90)], 0)!.north, 90);
});

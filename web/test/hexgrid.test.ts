import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellAt, corners, mercator, unproject } from '../src/hexgrid';

/** The same places everywhere, poles and the 180th meridian included. */
const places: [number, number][] = [];
for (let lat = -85; lat <= 85; lat += 8.5)
  for (let lon = -180; lon <= 180; lon += 11.25) places.push([lat, lon]);

test('a position comes back from the Mercator square', () => {
  for (const [lat, lon] of places) {
    const [backLon, backLat] = unproject(...mercator(lat, lon));
    assert.ok(Math.abs(backLat - lat) < 1e-9 && Math.abs(backLon - lon) < 1e-9, `${lat}, ${lon}`);
  }
});

test('no centre of another cell is nearer than that of its own', () => {
  for (const level of [0, 3, 9]) {
    const width = 1 / (16 * 2 ** level);
    for (const [lat, lon] of places) {
      const [x, y] = mercator(lat, lon);
      const cell = cellAt(level, lat, lon);
      const across = Math.abs(cell.x - x);
      const own = Math.hypot(Math.min(across, Math.abs(1 - across)), cell.y - y);
      assert.ok(
        own <= width / Math.sqrt(3) + 1e-12,
        `level ${level}: ${lat}, ${lon} lies ${own} from its centre`,
      );
    }
  }
});

test('both sides of the 180th meridian are one column', () => {
  for (const lat of [-40, 0, 12.5]) assert.equal(cellAt(5, lat, 180).key, cellAt(5, lat, -180).key);
});

test('a hexagon is closed and lies round its centre', () => {
  const { x, y } = cellAt(6, 51, 4.5);
  const ring = corners(6, x, y);
  assert.equal(ring.length, 7);
  assert.ok(Math.abs(ring[0]![0] - ring[6]![0]) < 1e-9 && Math.abs(ring[0]![1] - ring[6]![1]) < 1e-9);
  const [lon, lat] = unproject(x, y);
  assert.ok(ring.some(([l]) => l < lon) && ring.some(([l]) => l > lon));
  assert.ok(ring.some(([, l]) => l < lat) && ring.some(([, l]) => l > lat));
});

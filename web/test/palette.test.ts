import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breaks, dark, light, mechanismColour, mechanismPaint } from '../src/palette';

test('a mechanism has the colour of its side, on a canvas and in the document', () => {
  for (const palette of [light, dark]) {
    assert.equal(mechanismPaint('edge-only', palette), palette.shared.edge);
    assert.equal(mechanismPaint('cloud-only', palette), palette.shared.cloud);
  }
  assert.equal(mechanismColour('split'), 'var(--split)');
  assert.equal(mechanismColour('by hand'), mechanismPaint('by hand', light));
});

test('what means different things looks different, on either ground', () => {
  for (const { shared } of [light, dark]) {
    const colours = Object.values(shared);
    assert.equal(new Set(colours).size, colours.length);
    for (const colour of colours) assert.match(colour, /^#[0-9a-f]{6}$/);
  }
});

test('a ramp changes at growing counts, one at the least', () => {
  for (const most of [0, 1, 4, 17, 1_000_000]) {
    const limits = breaks(most, 5);
    assert.equal(limits.length, 4);
    assert.ok(
      limits.every((limit, i) => limit > (limits[i - 1] ?? 1)),
      `${most}: ${limits}`,
    );
  }
});

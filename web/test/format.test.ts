import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, bytes, degrees, heading, millis, moment, percent, short } from '../src/format';

test('bytes keep three digits and change their unit at a thousand', () => {
  assert.equal(bytes(0), '0 B');
  assert.equal(bytes(999), '999 B');
  assert.equal(bytes(1000), '1.00 kB');
  assert.equal(bytes(12_345), '12.3 kB');
  assert.equal(bytes(123_456_789), '123 MB');
  assert.equal(bytes(5e15), '5000 TB'); // no larger unit
});

test('milliseconds become seconds when there are many', () => {
  assert.equal(millis(0.001), '0 ms');
  assert.equal(millis(0.05), '0.05 ms');
  assert.equal(millis(3.14), '3.1 ms');
  assert.equal(millis(9999.4), '9999 ms');
  assert.equal(millis(10_000), '10.0 s');
});

test('counts of a map are short, shares whole', () => {
  assert.equal(short(9999), '9,999');
  assert.equal(short(12_345), '12.3K');
  assert.equal(percent(0.456), '46 %');
});

test('what is past is told in its largest unit, and what is to come is now', () => {
  const now = 1_700_000_000_000;
  assert.equal(ago(now + 60_000, now), 'now');
  assert.equal(ago(now - 59_000, now), '59 s ago');
  assert.equal(ago(now - 61_000, now), '1 min ago');
  assert.equal(ago(now - 25 * 3_600_000, now), '1 d ago');
});

test('a moment of today has no date', () => {
  const now = Date.UTC(2026, 2, 14, 12);
  assert.equal(moment(Date.UTC(2026, 2, 14, 8, 15, 2), now), '08:15:02');
  assert.equal(moment(Date.UTC(2026, 2, 13, 8, 15, 2), now), '13 Mar 2026, 08:15:02');
});

test('south and west are letters, and a heading just below 360 is north', () => {
  assert.equal(degrees(-33.5, -70.25, 2), '33.50° S, 70.25° W');
  assert.equal(heading(359), 'N (359°)');
  assert.equal(heading(90), 'E (90°)');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capital, type Detection, type Inventory, reportedWord } from '../src/api';
import { passes } from '../src/model';
import { noFilter } from '../src/state';

const seen = (...labels: string[]): Detection =>
  ({
    label: 'x',
    score: 0.5,
    boxes: labels.map((label) => ({ label, score: 0.5, x: 0, y: 0, w: 1, h: 1 })),
  }) as unknown as Detection;

test('a live detection passes by what was found in it, as the server says it', () => {
  const by = (found: string[], foundLeast: number, d: Detection): boolean =>
    passes(d, { ...noFilter(), found, foundLeast });
  const { boxes: _, ...without } = seen();
  assert.ok(by([], 0, without as Detection));
  assert.ok(!by(['dog'], 0, without as Detection));
  assert.ok(!by([], 1, without as Detection));
  assert.ok(by(['dog'], 0, seen('car', 'dog')));
  assert.ok(!by(['dog'], 2, seen('car', 'dog')));
  assert.ok(by(['dog', 'car'], 2, seen('car', 'dog')));
  assert.ok(by([], 2, seen('car', 'dog')));
  assert.ok(!by(['cat'], 0, seen('car', 'dog')));
});

test('what is worth a report has the word of the card where there is one', () => {
  const stock = (...labels: [string, number][]): Inventory =>
    ({ labels: labels.map(([name, positives]) => ({ name, positives })) }) as unknown as Inventory;
  assert.equal(reportedWord(null), 'reported');
  assert.equal(reportedWord(stock(['litter', 4], ['clean', 0])), 'litter');
  assert.equal(reportedWord(stock(['dog', 4], ['car', 1])), 'reported');
  assert.equal(reportedWord(stock(['', 4])), 'reported');
  assert.equal(capital('crack in a road'), 'Crack in a road');
});

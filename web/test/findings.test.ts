import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Detection, type FoundBox, scoreWords } from '../src/api';
import { figure, findsMore, groupsOf, nameOf, placeOf, spokenBoxes, stripesOf } from '../src/findings';

const box = (label: string, score: number, x = 0, y = 0, w = 0.5, h = 0.5): FoundBox => ({
  label,
  score,
  x,
  y,
  w,
  h,
});
const seen = (more: Partial<Detection>): Detection => ({ label: 'can', score: 0.5, ...more }) as Detection;

test('a box lies where its parts of the picture say, and never beyond it', () => {
  assert.deepEqual(placeOf(box('can', 1, 0.2, 0.4, 0.25, 0.125)), {
    left: '20%',
    top: '40%',
    width: '25%',
    height: '12.5%',
  });
  assert.deepEqual(placeOf(box('can', 1, 0.75, -0.1, 0.5, 2)), {
    left: '75%',
    top: '0%',
    width: '25%',
    height: '100%',
  });
});

test("a box's name stays within the picture", () => {
  assert.deepEqual(nameOf(box('can', 1, 0.2, 0.4)), { left: '20%', top: '40%', classes: 'box-name' });
  assert.deepEqual(nameOf(box('can', 1, 0.8, 0, 0.1)), {
    left: '90%',
    top: '0%',
    classes: 'box-name below leftwards',
  });
});

test('boxes are counted by label, with the surest of each', () => {
  const boxes = [box('dog', 0.9), box('can', 0.8), box('can', 0.85), box('cat', 0.95)];
  assert.deepEqual(groupsOf(boxes), [
    { label: 'can', count: 2, surest: 0.85 },
    { label: 'cat', count: 1, surest: 0.95 },
    { label: 'dog', count: 1, surest: 0.9 },
  ]);
  assert.deepEqual(groupsOf([]), []);
  assert.equal(spokenBoxes(seen({ boxes })), 'can × 2, cat, dog');
  assert.equal(spokenBoxes(seen({ boxes: [] })), 'nothing found');
});

test('a class alone is no more than its label', () => {
  assert.ok(!findsMore(seen({})));
  assert.ok(findsMore(seen({ boxes: [] })));
  assert.ok(findsMore(seen({ numbers: [{ name: 'level', value: 2 }] })));
});

test('numbers are as long as they have to be', () => {
  assert.deepEqual([12, -0.5, 1234567, 0.123456, 123456.7, 0].map(figure), [
    '12',
    '-0.5',
    '1234567',
    '0.1235',
    '1.235e+5',
    '0',
  ]);
});

test('a mask is drawn row by row, and no further than it goes', () => {
  assert.deepEqual(stripesOf({ width: 3, height: 2, runs: [0, 4, 255, 1, 1, 9] }), [
    { place: 0, x: 0, y: 0, length: 3 },
    { place: 0, x: 0, y: 1, length: 1 },
    { place: 255, x: 1, y: 1, length: 1 },
    { place: 1, x: 2, y: 1, length: 1 },
  ]);
  assert.deepEqual(stripesOf({ width: 0, height: 0, runs: [1, 5] }), []);
});

const picture = (more: object): Detection =>
  ({ label: 'clean', positive: false, score: 0.04, ...more }) as Detection;
test('how sure a network is, is said of the label that is looked for where that is another', () => {
  assert.equal(scoreWords(picture({}), 'litter'), 'litter 4 %');
  assert.equal(scoreWords(picture({ label: 'litter' }), 'litter'), '4 %');
  assert.equal(scoreWords(picture({ label: 'litter', positive: true, score: 0.9 }), 'litter'), '90 %');
  assert.equal(scoreWords(picture({ score: 0.8 }), 'reported'), '80 %'); // several are looked for, or none
});

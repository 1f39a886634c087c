import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptWords, sumOfCounts } from '../src/device_counts';

test('what a device keeps is said in words, and what it never said is no nothing', () => {
  assert.deepEqual(keptWords(undefined), { waits: '—', lost: '' });
  assert.deepEqual(keptWords({ waiting: 0, dead: 0, dropped: 0 }), { waits: 'nothing', lost: '' });
  assert.deepEqual(keptWords({ waiting: 1200, dead: 0, dropped: 0 }), { waits: '1,200 waiting', lost: '' });
  assert.deepEqual(keptWords({ waiting: 0, dead: 1, dropped: 0 }), {
    waits: 'none waiting',
    lost: '1 dead letter',
  });
  assert.equal(keptWords({ waiting: 2, dead: 3, dropped: 4 }).lost, '3 dead letters, 4 dropped');
});

test('a fleet has as many dead letters as its devices said', () => {
  const counts = { waiting: 1, dead: 2, dropped: 3 };
  assert.equal(sumOfCounts([{}, {}], 'dead'), '—');
  assert.equal(sumOfCounts([{ counts }, {}, { counts }], 'dead'), '4');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterQuery, isFiltered, noFilter, readState, type State, writeState } from '../src/state';

const read = (path: string): State => readState(new URL(path, 'http://map.example'));

test('an address without a choice is the bare one', () => {
  const state = read('/');
  assert.equal(state.view, null);
  assert.equal(isFiltered(state.filter), false);
  assert.equal(writeState(state), '/');
});

test('whatever is chosen comes back from the address that it wrote', () => {
  const state: State = {
    view: { lat: 51.06812, lon: -4.5, zoom: 17 },
    filter: {
      ...noFilter(),
      labels: ['can', 'a & b'],
      devices: ['bike-7'],
      found: ['dog', 'fire hydrant'],
      foundLeast: 3,
      minScore: 0.5,
      positive: true,
      from: 1,
      to: 2,
    },
    follow: true,
    byMechanism: true,
    layer: 'share',
    embed: true,
    selected: 9,
    region: [
      [8, 47],
      [9.12345, 47],
      [9, -48.5],
    ],
    split: 1_700_000_000_000,
  };
  assert.deepEqual(read(writeState(state)), state);
});

test('what is no number, or none that can be, is not there', () => {
  const state = read('/?lat=91&lon=0&z=3&min_score=2&from=-1&to=1e99&id=0&positive=yes');
  assert.equal(state.view, null);
  assert.deepEqual(state.filter, noFilter());
  assert.equal(state.selected, null);
});

test('an address cannot ask for more than 32 of a kind', () => {
  const many = Array.from({ length: 99 }, (_, i) => `label=l${i}`).join('&');
  assert.equal(read(`/?${many}`).filter.labels.length, 32);
});

test('the API is asked for the filter alone', () => {
  assert.equal(
    filterQuery({ ...noFilter(), mechanisms: ['split'], minScore: 0.25 }).toString(),
    'mechanism=split&min_score=0.25',
  );
  const found = filterQuery({ ...noFilter(), found: ['dog'], foundLeast: 2 });
  assert.equal(found.toString(), 'found=dog&found_least=2');
  for (const odd of ['0', '301', 'x', '-1'])
    assert.equal(read(`/?found_least=${odd}`).filter.foundLeast, 0, odd);
});

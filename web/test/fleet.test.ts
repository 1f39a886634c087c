import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { arrange, found, isSortKey, type View } from '../src/fleet/arrange';
import { type Device, type Health, healthOf, healthSince, patiences } from '../src/fleet/device';

const now = 10_000_000;
const patience = patiences[0]!;

function device(name: string, quietMs: number, more: Partial<Device> = {}): Device {
  return {
    name,
    run: '1',
    captured: 0,
    stored: 0,
    heard: now - quietMs,
    images_per_second: 1,
    bytes_per_second: 1,
    frames: 4,
    positives: 1,
    unchanged: 0,
    sent: 4,
    arrived: 4,
    mechanism: 'split',
    cut: 'split13',
    codec: 'q4',
    model: 'litter',
    label: 'clean',
    measured: {},
    stages_ms: {},
    ...more,
  };
}
const dead = { counts: { waiting: 0, dead: 2, dropped: 0 } };

describe('how a device is', () => {
  it('goes from ok to late to silent at the minute that was chosen', () => {
    for (const p of patiences) {
      const states = [0, p.lateMs - 1, p.lateMs, p.silentMs - 1, p.silentMs].map((quiet) =>
        healthOf(device('a', quiet), now, p),
      );
      assert.deepEqual(states, ['ok', 'ok', 'late', 'late', 'silent']);
      assert.equal(healthSince(device('a', p.silentMs + 5), 'silent', p), now - 5);
      assert.equal(healthSince(device('a', p.lateMs + 5), 'late', p), now - 5);
    }
    assert.equal(healthSince(device('a', 0), 'ok', patience), undefined);
  });

  it('fails while it says that frames were lost, and is silent once nothing is heard of it', () => {
    assert.equal(healthOf(device('a', 0, dead), now, patience), 'failing');
    assert.equal(healthOf(device('a', patience.lateMs, dead), now, patience), 'failing');
    assert.equal(healthOf(device('a', patience.silentMs, dead), now, patience), 'silent');
    assert.equal(
      healthOf(device('a', 0, { counts: { waiting: 9, dead: 0, dropped: 0 } }), now, patience),
      'ok',
    );
  });
});

describe('the list of devices', () => {
  const fleet = [
    device('cam-10', 1),
    device('cam-2', 70_000, { images_per_second: 5 }),
    device('bike', 2, dead),
    device('Cam-3', 700_000, { mechanism: 'edge-only', cut: '' }),
  ];
  const view = (more: Partial<View> = {}): View => ({
    search: '',
    states: new Set(),
    sort: 'device',
    turned: false,
    ...more,
  });
  const names = (more: Partial<View> = {}): string[] =>
    arrange(fleet, view(more), now, patience).map((d) => d.name);

  it('is ordered by what was chosen, either way, and numbers in names count', () => {
    assert.deepEqual(names(), ['bike', 'cam-2', 'Cam-3', 'cam-10']);
    assert.deepEqual(names({ turned: true }), ['bike', 'cam-2', 'Cam-3', 'cam-10'].reverse());
    assert.equal(names({ sort: 'rate' })[0], 'cam-2');
    assert.deepEqual(names({ sort: 'state' }), ['bike', 'Cam-3', 'cam-2', 'cam-10']);
    assert.deepEqual(names({ sort: 'heard' }), ['cam-10', 'bike', 'cam-2', 'Cam-3']);
    assert.deepEqual(names({ sort: 'missing' }), ['bike', 'cam-2', 'Cam-3', 'cam-10']); // all equal: by name
  });

  it('holds those that every word is found in, and of the states that were chosen', () => {
    assert.deepEqual(names({ search: 'cam' }), ['cam-2', 'Cam-3', 'cam-10']);
    assert.deepEqual(names({ search: ' EDGE-only  cam' }), ['Cam-3']);
    assert.deepEqual(names({ search: 'nobody' }), []);
    assert.deepEqual(names({ states: new Set<Health>(['silent', 'failing']) }), ['bike', 'Cam-3']);
    assert.ok(found(fleet[0]!, ''));
  });

  it('leaves the answer as it was', () => {
    const before = fleet.map((d) => d.name);
    names({ sort: 'rate', turned: true });
    assert.deepEqual(
      fleet.map((d) => d.name),
      before,
    );
  });

  it('knows its columns', () => {
    assert.ok(isSortKey('rate'));
    assert.ok(!isSortKey('constructor'));
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlace } from '../src/coordinates';
import { mostTiles, type Named, search, tilesAround } from '../src/street_names';

test('coordinates are read as people write them', () => {
  const zurich = { lat: 47.37, lon: 8.54 };
  for (const text of [
    '47.37, 8.54',
    ' 47.37 8.54 ',
    '47.37;8.54',
    '47,37; 8,54',
    '47.37 N 8.54 E',
    'N47.37 E8.54',
    '8.54° E, 47.37° N',
    'geo:47.37,8.54',
    'geo:47.37,8.54?z=12',
    `47°22'12"N 8°32'24"E`,
    '47°22′12″ N, 8°32′24″ O',
  ]) {
    const found = parsePlace(text);
    assert.ok(found, text);
    assert.ok(Math.abs(found.lat - zurich.lat) < 1e-9 && Math.abs(found.lon - zurich.lon) < 1e-9, text);
  }
  assert.deepEqual(parsePlace('-33.4, -70.6'), { lat: -33.4, lon: -70.6 });
  assert.deepEqual(parsePlace('33.5 S 70.25 W'), { lat: -33.5, lon: -70.25 });
  for (const text of ['', '47.37', 'Main Street 12', '91, 0', '0, 181', '47 N 8 N', '1, 2, x', '12 Elm'])
    assert.equal(parsePlace(text), null, text);
});

const at = { lat: 47, lon: 8 };
const named = (name: string, lat = 47, lon = 8): Named => ({ name, kind: 'street', lat, lon });

test('names are found by their words, whatever their accents, near ones first', () => {
  const names = [
    named('Rue de l’Église', 47.1),
    named('Große Straße', 47.2),
    named('Main Street', 47.3),
    named('Main Street', 47.05),
    named('Old Main Road', 47),
  ];
  assert.deepEqual(
    search(names, 'eglise', at).map((one) => one.name),
    ['Rue de l’Église'],
  );
  assert.deepEqual(
    search(names, 'grosse str', at).map((one) => one.name),
    ['Große Straße'],
  );
  assert.deepEqual(
    search(names, 'MAIN', at).map((one) => one.lat),
    [47.05, 47.3, 47],
  ); // begins with it, then near
  assert.deepEqual(search(names, ' ', at), []);
  assert.equal(
    search(
      Array.from({ length: 50 }, () => named('A')),
      'a',
      at,
    ).length,
    8,
  );
});

test('the tiles of a town are all read, of the world those around the view', () => {
  const town = tilesAround(
    { lat: 48, lon: 11 },
    { west: 10.99, south: 47.99, east: 11.05, north: 48.03 },
    14,
  );
  assert.ok(town.length > 4 && town.length < 20);
  const far = tilesAround({ lat: 0, lon: 0 }, { west: 10.99, south: 47.99, east: 11.05, north: 48.03 }, 14);
  assert.deepEqual([...far].sort(), [...town].sort());
  const world = tilesAround({ lat: 48, lon: 11 }, { west: -180, south: -85, east: 180, north: 85 }, 14);
  assert.equal(world.length, mostTiles);
  assert.deepEqual(world[0], [8692, 5695]);
  const low = tilesAround({ lat: 48, lon: 11 }, { west: -180, south: -85, east: 180, north: 85 }, 0);
  assert.deepEqual(low, [[0, 0]]);
});

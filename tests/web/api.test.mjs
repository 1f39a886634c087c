// docs/openapi.yaml tells the truth: every path answers as described, with no field left out and none undocumented.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { modelRead, Server } from './harness.mjs';

const source = process.env.FOGLINE_SOURCE_DIR;
const require = createRequire(join(source, 'web/package.json'));
const { parse } = require('yaml');
const api = parse(readFileSync(join(source, 'docs/openapi.yaml'), 'utf8'), { merge: true });

let server;
before(async () => {
  server = await Server.start('--thumbnails', '--models', join(source, 'models'));
  await modelRead(server, 'litter');
  await server.say('walk cam-1 20 47 8 1');
  await server.put({ lat: 1, lon: 2, thumbnail: [255, 216, 255] });
  await server.put({ device: 'without position' });
  for (const findings of [
    { classes: [{ label: 'litter', score: 0.75 }] },
    { boxes: [{ label: 'can', score: 0.5, x: 0, y: 0.25, w: 0.5, h: 0.5 }], boxes_cut_off: 2 },
    { shares: [{ label: 'road', share: 0.5 }] },
    { numbers: [{ name: 'level', value: -0.5 }] },
    { raw: [{ name: 'output0', shape: [1, 84, 8400] }] },
  ]) {
    await server.put({ device: 'finder', findings, counts: { waiting: 3, dead: 2, dropped: 1 } });
  }
});
after(() => server?.stop());

const resolve = (node) => (node?.$ref ? resolve(node.$ref.slice(2).split('/').reduce((at, key) => at[key], api)) : node);

/** The part of JSON Schema that the file uses; stricter in one way: an object has no property beside those named. */
function check(value, unresolved, where) {
  const schema = resolve(unresolved);
  if (schema.const !== undefined) assert.equal(value, schema.const, where);
  if (schema.enum) assert.ok(schema.enum.includes(value), `${where}: ${value}`);
  const types = [schema.type ?? []].flat();
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
  if (types.length > 0) assert.ok(types.includes(type) || (type === 'integer' && types.includes('number')), `${where} is ${type}, not ${types}`);
  for (const key of schema.required ?? []) assert.ok(key in value, `${where}.${key} is missing`);
  if (schema.properties) {
    for (const [key, inner] of Object.entries(value)) {
      assert.ok(schema.properties[key], `${where}.${key} is not documented`);
      check(inner, schema.properties[key], `${where}.${key}`);
    }
  }
  if (schema.items) value.forEach((inner, i) => check(inner, schema.items, `${where}[${i}]`));
}

for (const [path, { get }] of Object.entries(api.paths)) {
  describe(path, () => {
    const parameters = (get.parameters ?? []).map(resolve);
    const url = () => server.url + path.replace('{id}', '21');

    it('answers as documented', async () => {
      if (path === '/basemap.pmtiles') {
        assert.equal((await fetch(url(), { headers: { Range: 'bytes=0-1' } })).status, 404);
        return;
      }
      const response = await fetch(url());
      assert.equal(response.status, 200);
      const type = response.headers.get('content-type').split(';')[0];
      const content = get.responses['200'].content[type];
      assert.ok(content, `${type} is not documented`);
      if (type === 'application/json') check(await response.json(), content.schema, path);
      else await response.body.cancel();
    });

    it('refuses a parameter it does not know', async () => {
      const response = await fetch(`${url()}?nonsense=1`);
      assert.equal(response.status, 400);
      check(await response.json(), api.components.schemas.Error, 'error');
    });

    it('takes every documented parameter, and no value outside its range', async () => {
      for (const parameter of parameters.filter((p) => p.in === 'query')) {
        const { schema, name } = parameter;
        const good = schema.enum ?? (name.endsWith('box') ? ['-10,-10,10,10', '170,0,-170,5'] : name === 'datetime' ? ['2026-01-01T00:00:00Z/..'] :
          schema.type === 'array' ? ['x'] : schema.type === 'string' ? [''] : [schema.minimum ?? 0, schema.maximum ?? 5]);
        const bad = schema.enum || name === 'datetime' ? ['nonsense'] : name.endsWith('box') ? ['1,2,3'] : schema.type === 'array' || schema.type === 'string' ? []
          : ['x', ...(schema.minimum === undefined ? [] : [schema.minimum - 1]), ...(schema.maximum === undefined ? [] : [schema.maximum + 1])];
        const here = name === 'max_disagreement' ? 404 : 200; // the network that is asked about has no early exits
        for (const [values, status] of [[good, here], [bad, 400]]) {
          for (const value of values) {
            const response = await fetch(`${url()}?${name}=${encodeURIComponent(value)}`);
            assert.equal(response.status, status, `${name}=${value}`);
            await response.body.cancel();
          }
        }
      }
    });
  });
}

describe('the document itself', () => {
  it('is served', async () => {
    const served = await (await fetch(`${server.url}/openapi.yaml`)).text();
    assert.equal(served, readFileSync(join(source, 'docs/openapi.yaml'), 'utf8'));
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fogLine, middleOf } from '../src/network/fog';
import { cutAt, divide, fittingLevel, type Graph, graphOf } from '../src/network/graph';
import { groupLayers, levels } from '../src/network/grouping';
import { layOut } from '../src/network/layout';
import { type CutPlace, onDevice, type Topology } from '../src/network/topology';

const sizes = { along: 20, across: 60, gap: 14, beside: 10 };

/** A network out of edges between layers; what has no reader is an output. Every third layer computes. */
function network(count: number, edges: [number, number][], cuts: number[][] = []): Topology {
  const to = Array.from({ length: count }, (_, i) => edges.filter(([from]) => from === i).map(([, t]) => t));
  const fed = new Set(edges.map(([, t]) => t));
  const heads = to.flatMap((_, i) => (fed.has(i) ? [] : [i]));
  const runs = (on: boolean[]): [number, number][] =>
    on.flatMap((is, i) => (is ? [[i, i] as [number, number]] : []));
  const tensors = [
    { name: 'in', shape: '1x3x8x8', bytes: 768, from: -1, to: heads, output: false },
    ...to.map((readers, i) => ({
      name: `t${i}`,
      shape: '1x4x8x8',
      bytes: 1024 * (1 + (i % 7)),
      from: i,
      to: readers,
      output: readers.length === 0,
    })),
  ];
  return {
    layers: to.map((_, i) => ({
      name: `l${i}`,
      op: i % 3 === 0 ? 'Conv' : 'Relu',
      madds: i % 3 === 0 ? 1000 : 0,
      params: 0,
      block: -1,
    })),
    tensors,
    cuts: cuts.map((edge, index): CutPlace => {
      const on = to.map((_, i) => edge.includes(i));
      const crosses = tensors.flatMap((t, i) => {
        const here = t.from < 0 || on[t.from]!;
        return here && (t.output ? on[t.from]! : t.to.some((r) => !on[r])) ? [i] : [];
      });
      const bytes = crosses.reduce((sum, t) => sum + tensors[t]!.bytes, 0);
      return {
        index,
        name: `c${index}`,
        alias: null,
        mechanism: 'split',
        bytes,
        crosses,
        edge_layers: runs(on),
      };
    }),
  };
}

/** Layers in a row, each fed by the one before and now and then by one from earlier. */
function random(count: number, seed: number): Topology {
  let state = seed;
  const dice = (n: number): number => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * n);
  };
  const edges: [number, number][] = [];
  for (let i = 1; i < count; i += 1) {
    edges.push([Math.max(0, i - 1 - dice(3)), i]);
    if (dice(4) === 0) edges.push([dice(i), i]);
  }
  const unique = [...new Map(edges.map((e) => [e.join(), e])).values()];
  const cuts = [0, 3, 5, 8, count - 1].map((last) => {
    const on = new Set(Array.from({ length: last }, (_, i) => i)); // the order is topological: every beginning is a cut
    return [...on];
  });
  return network(count, unique, cuts);
}

function checkLayout(graph: Graph): void {
  const layout = layOut(graph, sizes);
  graph.nodes.forEach((_, i) => {
    const a = layout.nodes[i]!;
    assert.ok(Number.isFinite(a.along) && Number.isFinite(a.across));
    assert.ok(a.along >= sizes.along / 2 - 1e-6 && a.along <= layout.along - sizes.along / 2 + 1e-6);
    for (let k = 0; k < i; k += 1) {
      const b = layout.nodes[k]!;
      const apart =
        Math.abs(a.along - b.along) >= sizes.along - 1e-6 ||
        Math.abs(a.across - b.across) >= sizes.across - 1e-6;
      assert.ok(apart, `boxes ${k} and ${i} overlap`);
    }
  });
  graph.edges.forEach(({ from, to }, e) => {
    const way = layout.edges[e]!;
    const [a, b] = [layout.nodes[from]!, layout.nodes[to]!];
    assert.deepEqual(way[0], { along: way[0]!.along, across: a.across });
    assert.ok(Math.abs(way[0]!.along - (a.along + sizes.along / 2)) < 1e-6, 'begins at its box');
    assert.ok(Math.abs(way.at(-1)!.along - (b.along - sizes.along / 2)) < 1e-6, 'ends at its box');
    for (let k = 1; k < way.length; k += 1)
      assert.ok(way[k]!.along >= way[k - 1]!.along - 1e-6, 'runs forward');
  });
}

test('no box lies on another, and ways run forward from box to box, at every level of random networks', () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const topology = random(10 + seed, seed);
    for (const level of levels) checkLayout(graphOf(topology, level));
  }
});

test('grouping keeps every layer, and its tensors run from lower groups to higher ones', () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const topology = random(10 + seed, seed);
    for (const level of levels) {
      const groups = groupLayers(topology, level);
      const known = new Set(groups);
      assert.equal(groups.length, topology.layers.length);
      assert.deepEqual(
        [...known].sort((a, b) => a - b),
        Array.from({ length: known.size }, (_, i) => i),
      );
      for (const { from, to } of topology.tensors) {
        if (from >= 0) for (const r of to) assert.ok(groups[from]! <= groups[r]!, `${level} of seed ${seed}`);
      }
    }
  }
});

test('layers that no cut divides are one block; an activation stands with what it follows', () => {
  const chain = network(
    6,
    [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ],
    [
      [0, 1],
      [0, 1, 2, 3],
    ],
  );
  assert.deepEqual(groupLayers(chain, 'blocks'), [0, 0, 1, 1, 1, 1]);
  assert.deepEqual(groupLayers(chain, 'stages'), [0, 0, 0, 1, 1, 1]);
  assert.equal(fittingLevel(chain), 'layers');
});

test('a sum of two branches stays a place of its own', () => {
  const residual = network(5, [
    [0, 1],
    [1, 3],
    [0, 3],
    [3, 4],
  ]);
  residual.layers[1]!.madds = 5;
  residual.layers[3]!.madds = 0;
  const groups = groupLayers(residual, 'stages');
  assert.notEqual(groups[3], groups[1]);
  assert.notEqual(groups[3], groups[0]);
});

test('a cut crosses just where its tensors go from a layer on the device to one in the cloud', () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const topology = random(14 + seed, seed);
    const graph = graphOf(topology, 'layers');
    for (const cut of topology.cuts) {
      const on = onDevice(cut, topology.layers.length);
      const device = (node: number): boolean => {
        const { kind, layers } = graph.nodes[node]!;
        return kind === 'group' ? on[layers[0]!]! : kind === 'input';
      };
      const expected = graph.edges.flatMap(({ from, to }, e) => (device(from) && !device(to) ? [e] : []));
      const { sides, crossing } = divide(graph, topology, cut);
      assert.deepEqual(crossing, expected);
      assert.ok(!sides.includes('both'));
    }
  }
});

test('of the cuts through a way the one of the least price is meant; none where no cut goes', () => {
  const topology = network(
    4,
    [
      [0, 1],
      [1, 2],
      [2, 3],
    ],
    [[0], [0, 1]],
  );
  const graph = graphOf(topology, 'layers');
  const between = (from: number, to: number): number =>
    graph.edges.findIndex((e) => e.from === from + 1 && e.to === to + 1);
  assert.equal(cutAt(graph, topology, between(0, 1), (c) => c.bytes)?.index, 0);
  assert.equal(cutAt(graph, topology, between(1, 2), (c) => c.bytes)?.index, 1);
  assert.equal(
    cutAt(graph, topology, between(2, 3), (c) => c.bytes),
    null,
  );
});

test('the fog line goes from border to border through each place where something is sent, in order', () => {
  const fork = network(
    6,
    [
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 5],
    ],
    [[0, 1, 2, 3]],
  );
  const graph = graphOf(fork, 'layers');
  const layout = layOut(graph, sizes);
  const division = divide(graph, fork, fork.cuts[0]!);
  const line = fogLine(layout, division, 5);
  assert.equal(division.crossing.length, 3);
  assert.equal(line.length, 5);
  for (let i = 1; i < line.length; i += 1) assert.ok(line[i]!.across >= line[i - 1]!.across);
  assert.equal(line[0]!.across, layout.across.from - 5);
  assert.equal(line[4]!.across, layout.across.to + 5);
  assert.deepEqual(fogLine(layout, { sides: [], crossing: [] }, 5), []);
  assert.deepEqual(
    middleOf([
      { along: 0, across: 0 },
      { along: 4, across: 0 },
      { along: 4, across: 2 },
    ]),
    { along: 3, across: 0 },
  );
});

// Which layers are drawn as one: the network in blocks, in stages, or layer by layer.
import type { Topology } from './topology';

export type Level = 'blocks' | 'stages' | 'layers';
export const levels: Level[] = ['blocks', 'stages', 'layers'];

/** By layer, the group it belongs to. Groups are numbered so that tensors run from lower to higher ones. */
export type Grouping = number[];

const elements = (shape: string): number =>
  shape.split('x').reduce((product, d) => product * (Number(d) || 1), 1);

/** Groups that read a group, and those that it reads. */
function neighbours(
  groups: Grouping,
  { tensors }: Topology,
): { before: Set<number>[]; after: Set<number>[] } {
  const count = Math.max(-1, ...groups) + 1;
  const before = Array.from({ length: count }, () => new Set<number>());
  const after = Array.from({ length: count }, () => new Set<number>());
  for (const tensor of tensors) {
    const from = tensor.from < 0 ? -1 : groups[tensor.from]!;
    for (const reader of tensor.to) {
      const to = groups[reader]!;
      if (to === from) continue;
      before[to]!.add(from);
      if (from >= 0) after[from]!.add(to);
    }
  }
  return { before, after };
}

/** The same groups in an order along the tensors, by their first layers where several may come next; null when there is none. */
function inOrder(groups: Grouping, topology: Topology): Grouping | null {
  const names = new Map<number, number>();
  const dense = groups.map((g) => names.get(g) ?? names.set(g, names.size).get(g)!);
  const { before, after } = neighbours(dense, topology);
  const waits = before.map((set) => [...set].filter((g) => g >= 0).length);
  const place = new Array<number>(waits.length);
  const free = waits.flatMap((n, g) => (n === 0 ? [g] : []));
  let placed = 0;
  while (free.length > 0) {
    const g = free.splice(free.indexOf(Math.min(...free)), 1)[0]!;
    place[g] = placed;
    placed += 1;
    for (const next of after[g]!) {
      waits[next]! -= 1;
      if (waits[next] === 0) free.push(next);
    }
  }
  return placed === waits.length ? dense.map((g) => place[g]!) : null;
}

/** Layers that no listed cut divides are one. Since nothing flows back over a cut, such groups never form a circle. */
function neverDivided({ layers, cuts }: Topology): Grouping {
  let groups = layers.map(() => 0);
  for (const cut of cuts) {
    const on = new Uint8Array(layers.length);
    for (const [first, last] of cut.edge_layers) on.fill(1, first, last + 1);
    const names = new Map<number, number>();
    groups = groups.map((g, layer) => {
      const key = 2 * g + on[layer]!;
      return names.get(key) ?? names.set(key, names.size).get(key)!;
    });
  }
  return groups;
}

/** Groups that share a bottleneck block are one. */
function joinedByBlock(groups: Grouping, { layers }: Topology): Grouping {
  const parent = groups.map((_, i) => i);
  const root = (g: number): number => {
    let at = g;
    while (parent[at] !== at) at = parent[at]!;
    return at;
  };
  const first = new Map<number, number>();
  layers.forEach(({ block }, layer) => {
    if (block < 0) return;
    const known = first.get(block);
    if (known === undefined) first.set(block, groups[layer]!);
    else parent[root(groups[layer]!)] = root(known);
  });
  return groups.map(root);
}

/** What computes next to nothing (an activation, a normalisation, a conversion) stands with the layer before it, unless it
 *  brings two groups together or makes the tensor smaller: such a place is worth seeing. */
function glued(groups: Grouping, topology: Topology): Grouping {
  const { layers, tensors } = topology;
  const count = Math.max(-1, ...groups) + 1;
  const heavy = new Uint8Array(count);
  const takes = new Float64Array(count);
  const gives = new Float64Array(count);
  layers.forEach((layer, i) => {
    if (layer.madds > 0) heavy[groups[i]!] = 1;
  });
  for (const tensor of tensors) {
    const size = elements(tensor.shape);
    const from = tensor.from < 0 ? -1 : groups[tensor.from]!;
    const away = tensor.to.filter((reader) => groups[reader] !== from);
    if (from >= 0 && (away.length > 0 || tensor.output)) gives[from] = Math.max(gives[from]!, size);
    for (const reader of away) takes[groups[reader]!] = Math.max(takes[groups[reader]!]!, size);
  }
  const { before } = neighbours(groups, topology);
  const stands = Array.from({ length: count }, (_, g) => g);
  for (let g = 0; g < count; g += 1) {
    const from = new Set([...before[g]!].map((b) => (b < 0 ? b : stands[b]!)));
    const [only] = from;
    if (heavy[g] || from.size !== 1 || only === undefined || only < 0 || gives[g]! < takes[g]!) continue;
    stands[g] = only;
  }
  return groups.map((g) => stands[g]!);
}

export function groupLayers(topology: Topology, level: Level): Grouping {
  const single = topology.layers.map((_, i) => i);
  if (level === 'layers') return inOrder(single, topology)!;
  if (level === 'stages') return inOrder(glued(inOrder(single, topology)!, topology), topology)!;
  const undivided = neverDivided(topology);
  const blocks = inOrder(joinedByBlock(undivided, topology), topology) ?? inOrder(undivided, topology)!;
  return inOrder(glued(blocks, topology), topology)!;
}

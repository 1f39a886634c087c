// The network as a graph of groups, and how a cut runs through it.
import { type Grouping, groupLayers, type Level, levels } from './grouping';
import { type CutPlace, onDevice, type Topology } from './topology';

export interface GraphNode {
  kind: 'input' | 'group' | 'output';
  title: string;
  /** Of the largest tensor that it gives, without the batch. */
  shape: string;
  layers: number[];
  madds: number;
  params: number;
}
/** Between two nodes, by their places in Graph.nodes; `bytes` of its tensors together. */
export interface GraphEdge {
  from: number;
  to: number;
  tensors: number[];
  bytes: number;
}
/** Nodes in an order along the edges: the inputs are first, the outputs last. */
export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
  level: Level;
}

/** "96 × 10 × 10" for "1x96x10x10". */
export const shapeWords = (shape: string): string => shape.replace(/^1x/, '').replaceAll('x', ' × ');

const word = (op: string): string => op.split('.').pop()!;

function titleOf(layers: number[], { layers: all }: Topology): string {
  const block = all[layers[0]!]!.block;
  if (block >= 0 && layers.length > 1 && layers.some((l) => all[l]!.block === block && all[l]!.madds > 0)) {
    const work = layers.filter((l) => all[l]!.madds > 0);
    if (work.length > 1 && work.every((l) => all[l]!.block === block)) return `Block ${block + 1}`;
  }
  const work = layers.filter((l) => all[l]!.madds > 0);
  if (work.length === 0) return word(all[layers[0]!]!.op);
  const ops = new Set(work.map((l) => word(all[l]!.op)));
  if (work.length === 1) return [...ops][0]!;
  return ops.size === 1 ? `${work.length} ${[...ops][0]}` : `${work.length} layers`;
}

function nodesOf(groups: Grouping, topology: Topology): GraphNode[] {
  const members: number[][] = [];
  groups.forEach((g, layer) => {
    members[g] ??= [];
    members[g].push(layer);
  });
  const shapes = (tensors: { shape: string }[]): string => tensors.map((t) => shapeWords(t.shape)).join(', ');
  const end = (kind: 'input' | 'output', title: string, tensors: { shape: string }[]): GraphNode => ({
    kind,
    title,
    shape: shapes(tensors),
    layers: [],
    madds: 0,
    params: 0,
  });
  const { layers, tensors } = topology;
  const largest = members.map(() => ({ bytes: -1, shape: '' })); // of what leaves a group
  for (const { from: layer, to, output, bytes, shape } of tensors) {
    const from = groups[layer];
    if (from === undefined || !(output || to.some((r) => groups[r] !== from))) continue;
    if (bytes >= largest[from]!.bytes) largest[from] = { bytes, shape: shapeWords(shape) };
  }
  return [
    end(
      'input',
      'Picture',
      tensors.filter((t) => t.from < 0),
    ),
    ...members.map(
      (list, g): GraphNode => ({
        kind: 'group',
        title: titleOf(list, topology),
        shape: largest[g]!.shape,
        layers: list,
        madds: list.reduce((sum, l) => sum + layers[l]!.madds, 0),
        params: list.reduce((sum, l) => sum + layers[l]!.params, 0),
      }),
    ),
    end(
      'output',
      'Results',
      tensors.filter((t) => t.output),
    ),
  ];
}

export function graphOf(topology: Topology, level: Level): Graph {
  const groups = groupLayers(topology, level);
  const nodes = nodesOf(groups, topology);
  const edges = new Map<string, GraphEdge>();
  topology.tensors.forEach((tensor, index) => {
    const from = tensor.from < 0 ? 0 : groups[tensor.from]! + 1;
    const to = new Set(tensor.to.map((reader) => groups[reader]! + 1));
    if (tensor.output) to.add(nodes.length - 1);
    for (const target of to) {
      if (target === from) continue;
      const key = `${from} ${target}`;
      const edge = edges.get(key) ?? { from, to: target, tensors: [], bytes: 0 };
      edge.tensors.push(index);
      edge.bytes += tensor.bytes;
      edges.set(key, edge);
    }
  });
  return { nodes, edges: [...edges.values()], level };
}

/** As much of the network as can be taken in at a glance: the finest level of at most 40 nodes, blocks where none is. */
export function fittingLevel(topology: Topology): Level {
  const fits = (level: Level): boolean => graphOf(topology, level).nodes.length <= 40;
  return [...levels].reverse().find(fits) ?? 'blocks';
}

export type Side = 'device' | 'cloud' | 'both';
/** By node, who runs it; and the edges on which something is sent. */
export interface Division {
  sides: Side[];
  crossing: number[];
}

/** Whether a cut sends something over an edge. `on`: by layer, whether it is on the device. */
function sends(graph: Graph, { tensors }: Topology, cut: CutPlace, on: boolean[], edge: GraphEdge): boolean {
  const node = graph.nodes[edge.to]!;
  const results = edge.to === graph.nodes.length - 1;
  return edge.tensors.some((t) => {
    if (!cut.crosses.includes(t)) return false;
    if (results) return tensors[t]!.output;
    return tensors[t]!.to.some((reader) => !on[reader] && node.layers.includes(reader));
  });
}

export function divide(graph: Graph, topology: Topology, cut: CutPlace): Division {
  const on = onDevice(cut, topology.layers.length);
  const sides = graph.nodes.map((node, i): Side => {
    if (node.kind !== 'group') return i === 0 ? 'device' : 'cloud';
    const here = node.layers.filter((l) => on[l]).length;
    return here === 0 ? 'cloud' : here === node.layers.length ? 'device' : 'both';
  });
  const crossing = graph.edges.flatMap((edge, i) => (sends(graph, topology, cut, on, edge) ? [i] : []));
  return { sides, crossing };
}

/** Of the cuts at which an edge's tensors cross, the one to choose when somebody points at it: the least by `price`. */
export function cutAt(
  graph: Graph,
  topology: Topology,
  edge: number,
  price: (cut: CutPlace) => number,
): CutPlace | null {
  const way = graph.edges[edge]!;
  let best: CutPlace | null = null;
  for (const cut of topology.cuts) {
    if (!cut.crosses.some((t) => way.tensors.includes(t))) continue;
    if (!sends(graph, topology, cut, onDevice(cut, topology.layers.length), way)) continue;
    if (best === null || price(cut) < price(best)) best = cut;
  }
  return best;
}

// Where everything stands: layers below each other (the page may turn it on its side). A network is laid out piece by piece,
// between the nodes that everything passes through, and rows of nodes without a branch are moved as one; each piece is
// dagre's work. So a network of hundreds of layers costs what its branches cost.
import { Graph as Dagre, layout as arrange } from '@dagrejs/dagre';
import type { Graph } from './graph';

/** `along`: with the data; `across`: beside it. */
export interface Point {
  along: number;
  across: number;
}
export interface Layout {
  /** Centres, by node. */
  nodes: Point[];
  /** From the end of one node to the beginning of another, by edge. */
  edges: Point[][];
  along: number;
  across: { from: number; to: number };
}
/** A node's extent, and the room between nodes. */
export interface Sizes {
  along: number;
  across: number;
  gap: number;
  beside: number;
}

/** Nodes before which no tensor begins that ends behind them: all that is computed passes through. */
function spine(graph: Graph): number[] {
  const reach = graph.nodes.map((_, i) => i);
  for (const { from, to } of graph.edges) reach[from] = Math.max(reach[from]!, to);
  const found: number[] = [];
  let furthest = 0;
  reach.forEach((to, i) => {
    if (furthest <= i) found.push(i);
    furthest = Math.max(furthest, to);
  });
  return found;
}

interface Piece {
  nodes: number[]; // of the graph
  edges: [from: number, to: number][]; // within `nodes`
}
interface Placed {
  nodes: Point[];
  edges: Point[][];
}

/** Runs of nodes that are moved as one: each has one way in and one way out, but for detours within the run that nothing
 *  else begins or ends in (a gate beside its input, a short residual). */
function rows({ nodes, edges }: Piece): number[][] {
  const into = nodes.map(() => 0);
  const out: number[][] = nodes.map(() => []);
  for (const [from, to] of edges) {
    out[from]!.push(to);
    into[to]! += 1;
  }
  const last = nodes.length - 1;
  /** The nodes that follow `at` in its run. */
  const following = (at: number): number[] => {
    const [a, b, more] = out[at]!;
    if (a === undefined || more !== undefined) return [];
    if (b === undefined) return into[a] === 1 && a !== last ? [a] : [];
    return detour(a, b) ?? detour(b, a) ?? [];
  };
  /** From `begin` to `end`, which is also reached directly. */
  const detour = (begin: number, end: number): number[] | null => {
    if (into[begin] !== 1 || into[end] !== 2 || end === last) return null;
    const way = [begin];
    for (let at = begin; ; ) {
      if (out[at]!.length === 1 && out[at]![0] === end) return [...way, end];
      const next = following(at);
      if (next.length === 0) return null;
      way.push(...next);
      at = next.at(-1)!;
    }
  };
  const taken = new Set<number>();
  const found: number[][] = [];
  for (let i = 0; i < nodes.length; i += 1) {
    if (taken.has(i)) continue;
    const row = [i];
    for (let next = i === 0 ? [] : following(i); next.length > 0; next = following(next.at(-1)!)) {
      row.push(...next);
      for (const member of next) taken.add(member);
    }
    found.push(row);
  }
  return found;
}

/** Within a run: straight to the next node, beside those that lie between. */
function aside(start: Point, end: Point, sizes: Sizes): Point[] {
  if (end.along - start.along < sizes.gap * 1.5) return [start, end];
  const across = start.across + sizes.across / 2 + sizes.beside / 2;
  const turn = sizes.gap;
  return [start, { across, along: start.along + turn }, { across, along: end.along - turn }, end];
}

function arrangePiece(piece: Piece, sizes: Sizes): Placed {
  const runs = rows(piece);
  const runOf = new Map(runs.flatMap((run, r) => run.map((i) => [i, r] as const)));
  const dagre = new Dagre({ multigraph: true });
  dagre.setGraph({ nodesep: sizes.beside, edgesep: sizes.beside, ranksep: sizes.gap, ranker: 'tight-tree' });
  const length = (run: number[]): number => run.length * (sizes.along + sizes.gap) - sizes.gap;
  runs.forEach((run, r) => {
    dagre.setNode(String(r), { width: sizes.across, height: length(run) });
  });
  piece.edges.forEach(([from, to], e) => {
    if (runOf.get(from) !== runOf.get(to)) {
      dagre.setEdge(String(runOf.get(from)), String(runOf.get(to)), {}, String(e));
    }
  });
  arrange(dagre);
  const nodes: Point[] = [];
  runs.forEach((run, r) => {
    const { x, y } = dagre.node(String(r)) as { x: number; y: number };
    const top = y - length(run) / 2 + sizes.along / 2;
    run.forEach((i, k) => {
      nodes[i] = { across: x, along: top + k * (sizes.along + sizes.gap) };
    });
  });
  const edges = piece.edges.map(([from, to], e) => {
    const a = nodes[from]!;
    const b = nodes[to]!;
    const start = { across: a.across, along: a.along + sizes.along / 2 };
    const end = { across: b.across, along: b.along - sizes.along / 2 };
    if (runOf.get(from) === runOf.get(to)) return aside(start, end, sizes);
    const found = dagre.edge(String(runOf.get(from)), String(runOf.get(to)), String(e)) as {
      points: { x: number; y: number }[];
    };
    const between = found.points
      .slice(1, -1)
      .map((p) => ({ across: p.x, along: p.y }))
      .filter((p) => p.along > start.along && p.along < end.along);
    return [start, ...between, end];
  });
  return { nodes, edges };
}

/** `sizes` hold for every node. */
export function layOut(graph: Graph, sizes: Sizes): Layout {
  const known = new Map<string, Placed>(); // networks repeat themselves
  const stops = spine(graph);
  const nodes: Point[] = graph.nodes.map(() => ({ along: 0, across: 0 }));
  const edges: Point[][] = graph.edges.map(() => []);
  const pieceOf = new Map<number, number>();
  stops.forEach((stop, k) => {
    for (let i = stop; i < (stops[k + 1] ?? graph.nodes.length); i += 1) pieceOf.set(i, k);
  });
  const edgesOf: number[][] = stops.map(() => []);
  graph.edges.forEach(({ from }, e) => {
    edgesOf[pieceOf.get(from)!]!.push(e);
  });
  let along = sizes.along / 2;
  nodes[0]!.along = along;
  for (let k = 0; k + 1 < stops.length; k += 1) {
    const [first, last] = [stops[k]!, stops[k + 1]!];
    const piece: Piece = {
      nodes: Array.from({ length: last - first + 1 }, (_, i) => first + i),
      edges: edgesOf[k]!.map((e) => [graph.edges[e]!.from - first, graph.edges[e]!.to - first]),
    };
    const key = `${piece.nodes.length}:${piece.edges.join(';')}`;
    const placed = known.get(key) ?? arrangePiece(piece, sizes);
    known.set(key, placed);
    along = put(piece, placed, along, edgesOf[k]!, nodes, edges);
  }
  const every = [...nodes, ...edges.flat()].map((p) => p.across);
  return {
    nodes,
    edges,
    along: along + sizes.along / 2,
    across: { from: Math.min(...every) - sizes.across / 2, to: Math.max(...every) + sizes.across / 2 },
  };
}

/** A piece behind what stands already: its ends on the middle line, all else around it. */
function put(
  piece: Piece,
  placed: Placed,
  along: number,
  pieceEdges: number[],
  nodes: Point[],
  edges: Point[][],
): number {
  const [start, end] = [placed.nodes[0]!, placed.nodes.at(-1)!];
  const middle = (start.across + end.across) / 2;
  const move = (p: Point): Point => ({
    along: p.along - start.along + along,
    across: p.across - middle,
  });
  piece.nodes.forEach((node, i) => {
    const ends = i === 0 || i === piece.nodes.length - 1;
    nodes[node] = ends ? { ...move(placed.nodes[i]!), across: 0 } : move(placed.nodes[i]!);
  });
  pieceEdges.forEach((edge, e) => {
    const points = placed.edges[e]!.map(move);
    const [from, to] = piece.edges[e]!;
    if (from === 0) points[0]!.across = 0;
    if (to === piece.nodes.length - 1) points.at(-1)!.across = 0;
    edges[edge] = points;
  });
  return along + end.along - start.along;
}

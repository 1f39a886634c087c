// The fog line as it runs across a layout: through every place where something is sent, from one border to the other.
import type { Division } from './graph';
import type { Layout, Point } from './layout';

/** The middle of a way, by length. */
export function middleOf(way: Point[]): Point {
  const lengths = way.slice(1).map((p, i) => Math.hypot(p.along - way[i]!.along, p.across - way[i]!.across));
  let left = lengths.reduce((sum, l) => sum + l, 0) / 2;
  for (let i = 0; i < lengths.length; i += 1) {
    const l = lengths[i]!;
    if (left <= l && l > 0) {
      const [a, b] = [way[i]!, way[i + 1]!];
      return {
        along: a.along + ((b.along - a.along) * left) / l,
        across: a.across + ((b.across - a.across) * left) / l,
      };
    }
    left -= l;
  }
  return way[0]!;
}

/** Where the line passes: ordered across, with the borders of the picture as its ends. `margin` lies beyond the layout. */
export function fogLine(layout: Layout, division: Division, margin: number): Point[] {
  const gates = division.crossing.map((e) => middleOf(layout.edges[e]!));
  division.sides.forEach((side, i) => {
    if (side === 'both') gates.push(layout.nodes[i]!);
  });
  if (gates.length === 0) return [];
  gates.sort((a, b) => a.across - b.across);
  const [first, last] = [gates[0]!, gates.at(-1)!];
  return [
    { along: first.along, across: layout.across.from - margin },
    ...gates,
    { along: last.along, across: layout.across.to + margin },
  ];
}

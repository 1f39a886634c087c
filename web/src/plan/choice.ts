// What somebody chose in place of the plan's own cut: kept while the question changes, gone with a network that lacks it.
import type { CutPlace } from '../network/topology';
import { type Answer, type Candidate, type CutId, isPlan, type Network } from './answer';

export class Choice {
  /** By the cut's name, as it stands in the address. */
  constructor(private name: string | null) {}

  get text(): string | null {
    return this.name;
  }
  choose(cut: CutPlace | null): void {
    this.name = cut === null ? null : (cut.alias ?? cut.name);
  }
  place(network: Network): CutPlace | null {
    if (this.name === null) return null;
    return (
      network.cuts.find((cut) => cut.alias === this.name) ??
      network.cuts.find((cut) => cut.name === this.name) ??
      null
    );
  }
  /** What it costs now; null where nothing is chosen, or just what the plan has. */
  candidate(answer: Answer, network: Network): Candidate | null {
    const id: CutId | undefined = this.place(network)?.index;
    const found = answer.candidates.find((c) => c.cut === id);
    return found === undefined || (isPlan(answer) && found.cut === answer.best.cut) ? null : found;
  }
}

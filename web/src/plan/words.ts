// What a plan says in words. No element, no state: the parts of the page put these where they belong.
import { bytes as human, count } from '../format';
import {
  type Bill,
  type Candidate,
  mechanismOf,
  type Network,
  type Plan,
  placeOf,
  type Step,
} from './answer';
import type { Question } from './question';
import { mbps } from './scale';

export function agreement(c: Candidate): string {
  if (c.agreement === null) return 'fidelity not known';
  return `agrees ${(c.agreement * 100).toFixed(1).replace(/\.0$/, '')} %`;
}

/** What is sent, and how many bytes that is. */
export function payload(c: Candidate): string {
  if (c.bytes === 0) return 'nothing';
  if (c.codec === 'verdict') return `the verdict, ${human(c.bytes)}`;
  return `${c.codec}, ${c.bytes_estimated ? '~' : ''}${human(Math.round(c.bytes))}`;
}

/** "ruled out by max latency", or "". */
export const ruledOut = (c: Candidate): string =>
  c.violates.length === 0
    ? ''
    : `ruled out by ${c.violates.map((flag) => flag.replace(/^--/, '').replaceAll('-', ' ')).join(', ')}`;

export const notRun = (c: Candidate): string => (c.runnable ? '' : `not run yet: ${c.not_runnable ?? ''}`);

const limitNames: Record<string, string> = {
  '--max-latency': 'That latency',
  '--max-latency-p95': 'That 95th percentile',
  '--min-agreement': 'That agreement',
  '--min-accuracy': 'That accuracy',
  '--min-metric': 'That metric',
  '--max-cost': 'That cost',
  '--max-memory': 'That memory',
  '--max-data': 'That little data',
  '--never-send-input': 'Keeping the picture',
  '--codec': 'That codec',
};
export const limitName = (flag: string): string => limitNames[flag] ?? 'All of this at once';

export const instances = (bill: Bill): string =>
  bill.instances === 0
    ? 'no instance'
    : `${count(bill.instances)} instance${bill.instances === 1 ? '' : 's'}`;

export function objectiveWords(asked: Question): string {
  const objective = asked.text.objective ?? 'latency';
  if (objective.includes('=')) return 'latency and money together';
  if (objective === 'cost') return 'money';
  return objective === 'throughput' ? 'images a second' : objective;
}

/** Share of the network's work that a cut leaves on the device. */
export function workOnDevice(edge: [number, number][], { layers, madds }: Network): number {
  const here = edge.reduce(
    (sum, [first, last]) =>
      sum + layers.slice(first, last + 1).reduce((part, layer) => part + layer.madds, 0),
    0,
  );
  return madds > 0 ? here / madds : 0;
}

/** "Run the first 40 % on the device, the rest in the cloud": the plan as an order, without a term. */
export function headline(best: Plan['best'], network: Network): string {
  const mechanism = mechanismOf(best.cut, network);
  if (mechanism === 'edge-only') return 'Run it all on the device';
  if (mechanism === 'cloud-only') return 'Run it all in the cloud';
  const share = Math.round(100 * workOnDevice(best.edge_layers, network));
  if (share >= 100) return 'Run all but the last layers on the device';
  if (share <= 0) return 'Run only the first layers on the device';
  return `Run the first ${share} % on the device, the rest in the cloud`;
}

/** The same as those say it who know: "split13", "cut 42 (after relu_7)"; nothing where no cut goes through. */
export function term(best: Candidate, network: Network): string {
  if (mechanismOf(best.cut, network) !== 'split') return '';
  if (best.alias !== null) return `Cut at ${best.alias}. `;
  return typeof best.cut === 'number' ? `Cut ${best.cut}, after ${best.name}. ` : `Cut after ${best.cut}. `;
}

/** "Sends the tensor as q5, 1.14 kB, agrees 96 % with the whole network". */
export function sends(best: Candidate, network: Network): string {
  if (best.bytes === 0) return 'Nothing is sent';
  if (best.codec === 'verdict') return 'Sends the verdict alone';
  const what = mechanismOf(best.cut, network) === 'cloud-only' ? 'the picture' : 'the tensor';
  return `Sends ${what} as ${payload(best)}`;
}

/** "The line moves at 3.1 Mbit/s": the nearest break of the envelope on either side. */
export function moveSentence(plan: Plan, up: number, network: Network): string {
  const here = plan.envelope.findIndex((step) => up >= step.from_mbps && up <= step.to_mbps);
  // Another codec at the same place does not move the line.
  const elsewhere = (step: Step): boolean => step.cut !== plan.envelope[here]?.cut;
  const below = plan.envelope.slice(0, Math.max(0, here)).reverse().find(elsewhere);
  const above = plan.envelope.slice(here + 1).find(elsewhere);
  if (here < 0 || (!below && !above)) {
    return plan.nothing_below_mbps === null
      ? 'No uplink moves the line.'
      : `Below ${mbps(plan.nothing_below_mbps)} nothing keeps to the limits.`;
  }
  const words: string[] = [];
  if (below) words.push(`below ${mbps(below.to_mbps)} to ${placeOf(below, network)}`);
  if (above) words.push(`above ${mbps(above.from_mbps)} to ${placeOf(above, network)}`);
  // Where it moves is said of the cheapest plan; one that was taken from a tie may stay a little longer.
  const whose = plan.strict || plan.ties.length === 0 ? 'The line' : 'The cheapest line';
  return `${whose} moves ${words.join(', ')}.`;
}

const share = (part: number): string => `${Number((100 * part).toPrecision(2))} %`;

/** What leaving early buys and promises; nothing where the plan has no exit. */
export function exitSentence(best: Candidate): string {
  if (!best.exit) return '';
  const { at, sure_share, disagreement_bound } = best.exit;
  return (
    `${Math.round(100 * sure_share)} % of the pictures leave at ${at}, where the network is sure of them; at most ` +
    `${share(disagreement_bound)} of all get another class than from the whole network (95 % confidence).`
  );
}

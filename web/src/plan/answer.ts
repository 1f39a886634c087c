// What the server says about models, machines and plans, typed (docs/openapi.yaml has the words).
import type { CutPlace, Mechanism, Topology } from '../network/topology';

export interface Latency {
  edge: number;
  encode: number;
  uplink: number;
  decode: number;
  cloud: number;
  downlink: number;
  total: number;
}
/** An index of the model's cuts, or the name of one that is not listed. */
export type CutId = number | string;
export interface Candidate {
  cut: CutId;
  tensors: string[];
  codec: string;
  bytes: number;
  agreement: number | null;
  latency_ms: Latency;
  cost_per_device_month: number;
  energy_mj: number;
  name: string;
  alias: string | null;
  accuracy: number | null;
  bytes_estimated: boolean;
  latency_p95_ms: number;
  period_ms: number;
  edge_memory_bytes: number;
  objective: number | null;
  violates: string[];
  metric: number | null;
  route: string;
  /** Where sure pictures leave early; the candidate's figures are then means over all. */
  exit?: { at: string; threshold: number; sure_share: number; disagreement_bound: number };
  runnable: boolean;
  not_runnable: string | null;
}
export interface Step {
  from_mbps: number;
  to_mbps: number;
  cut: CutId;
  codec: string;
  name: string;
  alias: string | null;
  fixed: number;
  slope: number;
}
export interface LoadStep {
  from_load: number;
  to_load: number;
  cut: CutId;
  codec: string;
  name: string;
  alias: string | null;
}
/** What the times cannot tell from the cheapest. */
export interface Tie {
  cut: CutId;
  codec: string;
  name: string;
  alias: string | null;
  difference: number;
  above_cheapest: number;
  uncertainty: number;
  agreement: number | null;
  cost_per_device_month: number;
  cheapest: boolean;
}
export interface Bill {
  euro_month: number | null;
  instances: number;
  wait_p95_ms: number | null;
  images_sustained: number;
  device_month: { hardware: number; energy: number; data: number; cloud: number | null };
}
/** A network that was weighed: the float one first, then those in integers. */
export interface Precision {
  file: string;
  integers: boolean;
  agreement: number;
  chosen: boolean;
  objective: number | null;
  text: string | null;
  conflict: string | null;
}
export interface Plan {
  best: Candidate & { edge_layers: [number, number][] };
  candidates: Candidate[];
  envelope: Step[];
  load_envelope: LoadStep[];
  /** Mbit/s below which nothing keeps to the limits, and the most that loss lets through. */
  nothing_below_mbps: number | null;
  fastest_mbps: number;
  nothing_above_load: number | null;
  certificate: {
    lower_bound: number | null;
    value: number | null;
    optimum: number | null;
    unit: string;
    method: string;
    flow_equals_cut: boolean;
    text: string;
  };
  strict: boolean;
  ties: Tie[];
  uncertainty: { edge: number; cloud: number; source: string; text: string };
  notes: string[];
  plan_ms: number;
  pareto: { cut: CutId; codec: string; x: number; y: number }[];
  scatter: [CutId, string, number | null, number | null, boolean][];
  rivals: (Candidate & { key: string; title: string })[];
  explanations: { cut: CutId; codec: string; text: string }[];
  precision?: Precision[];
  fleet: { devices: number; images_month: number; plan: Bill; rivals: (Bill & { key: string })[] };
}
export interface Conflict {
  best: null;
  conflict: { limit: string; message: string };
  candidates: Candidate[];
}
export type Answer = Plan | Conflict;
/** The network that an answer is of, where it is not the one that was asked about. */
export const networkOf = (answer: Answer): string | undefined =>
  isPlan(answer) ? answer.precision?.find(({ chosen }) => chosen)?.file.replace(/\.onnx$/, '') : undefined;
export const isPlan = (answer: Answer): answer is Plan => answer.best !== null;

export interface Network extends Topology {
  name: string;
  description: string;
  madds: number;
  params: number;
  weight_bytes: number;
  calibrated_images: number | null;
  exits: number;
  integers: string[];
}

export interface Machine {
  name: string;
  title: string;
  memory_gb: number;
  engine: string;
  threads: number;
  source: string;
  left_out_error?: number;
  power?: { idle_w: number; busy_w: number; source: string };
  price?: { euro: number; source: string };
  rent?: { euro_per_hour: number; vcpus: number; baseline: number; source: string };
}
export interface Link {
  name: string;
  title: string;
  up_mbps: number;
  down_mbps: number;
  rtt_ms: number;
  loss: number;
  euro_per_gb: number;
  source: string;
}
export interface Machines {
  devices: Machine[];
  clouds: Machine[];
  links: Link[];
}

/** Who computes, told by where the cut lies. */
export const mechanismOf = (cut: CutId, network: Network): Mechanism =>
  network.cuts.find((place) => place.index === cut)?.mechanism ?? 'split';

/** "split13", "cut 42", "cloud-only": short, for people. */
export function placeOf(c: { cut: CutId; alias: string | null }, network: Network): string {
  const mechanism = mechanismOf(c.cut, network);
  if (mechanism !== 'split') return mechanism;
  return c.alias ?? (typeof c.cut === 'number' ? `cut ${c.cut}` : c.cut);
}

/** Where a candidate cuts, listed or not; `edge` holds the runs of layers on the device of one that is not. */
export function cutPlaceOf(c: Candidate, network: Network, edge: [number, number][]): CutPlace | null {
  const listed = network.cuts.find((place) => place.index === c.cut);
  if (listed) return listed;
  if (edge.length === 0) return null;
  const crosses = c.tensors.map((name) => network.tensors.findIndex((tensor) => tensor.name === name));
  const bytes = crosses.reduce((sum, t) => sum + (network.tensors[t]?.bytes ?? 0), 0);
  return { index: -1, name: c.name, alias: c.alias, mechanism: 'split', bytes, crosses, edge_layers: edge };
}

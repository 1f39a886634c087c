// The best plan at every uplink: what it costs there, and in words. No element.
import { mechanismOf, type Network, type Plan, placeOf, type Step } from './answer';
import { mbps } from './scale';

/** What a piece costs at an uplink. `period`: the objective is a pipeline's period, the larger of two terms, not their sum. */
export function priceAt(step: Step, up: number, plan: Plan, period: boolean): number {
  const rate = Math.min(up, plan.fastest_mbps);
  return period ? Math.max(step.fixed, step.slope / rate) : step.fixed + step.slope / rate;
}

/** The pieces within [low, high], cut off there. */
export function piecesWithin(
  plan: Plan,
  low: number,
  high: number,
): { step: Step; from: number; to: number }[] {
  return plan.envelope
    .filter((step) => step.to_mbps > low && step.from_mbps < high)
    .map((step) => ({ step, from: Math.max(low, step.from_mbps), to: Math.min(high, step.to_mbps) }));
}

/** Uplinks from one end of a piece to the other, even on a logarithmic axis. */
export const along = (from: number, to: number, steps: number): number[] =>
  Array.from({ length: steps + 1 }, (_, k) => from * (to / from) ** (k / steps));

export interface Words {
  range: string;
  what: string;
  codec: string;
  mechanism: string;
  from: number;
  to: number;
}

/** "below 420 kbit/s edge-only", one line a piece. */
export function envelopeWords(plan: Plan, network: Network): Words[] {
  return plan.envelope.map((step) => {
    const first = step.from_mbps <= 1.1e-3 && plan.nothing_below_mbps === null;
    const last = step.to_mbps >= 0.99e5;
    let range = `${mbps(step.from_mbps)} – ${mbps(step.to_mbps)}`;
    if (first && last) range = 'at any uplink';
    else if (first) range = `below ${mbps(step.to_mbps)}`;
    else if (last) range = `above ${mbps(step.from_mbps)}`;
    return {
      range,
      what: placeOf(step, network),
      codec: step.codec,
      mechanism: mechanismOf(step.cut, network),
      from: step.from_mbps,
      to: step.to_mbps,
    };
  });
}

// From figures to pixels, and where the ticks stand.

export interface Scale {
  at: (value: number) => number;
  back: (pixel: number) => number;
  ticks: number[];
  low: number;
  high: number;
}

function niceStep(range: number, most: number): number {
  const raw = range / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = raw / power;
  return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
}

export function linear(low: number, high: number, from: number, to: number, most = 5): Scale {
  const range = high - low || 1;
  const step = niceStep(range, most);
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-9); i += 1)
    ticks.push(Number((i * step).toPrecision(12)));
  return {
    at: (value) => from + ((value - low) / range) * (to - from),
    back: (pixel) => low + ((pixel - from) / (to - from)) * range,
    ticks,
    low,
    high,
  };
}

export function logarithmic(low: number, high: number, from: number, to: number, most = 6): Scale {
  const a = Math.log10(low);
  const b = Math.max(Math.log10(high), a + 1e-6);
  const decades = b - a;
  const factors = decades < 1.2 ? [1, 2, 3, 5, 7] : decades < 2.6 ? [1, 2, 5] : decades < 4 ? [1, 3] : [1];
  let ticks: number[] = [];
  for (let power = Math.floor(a); power <= Math.ceil(b); power += 1) {
    for (const factor of factors) {
      const value = factor * 10 ** power;
      if (value >= low * 0.999 && value <= high * 1.001) ticks.push(Number(value.toPrecision(6)));
    }
  }
  while (ticks.length > most + 2) ticks = ticks.filter((_, i) => i % 2 === 1);
  if (ticks.length < 3) ticks = linear(low, high, from, to, most).ticks.filter((value) => value > 0);
  return {
    at: (value) => from + ((Math.log10(Math.max(value, 1e-300)) - a) / (b - a)) * (to - from),
    back: (pixel) => 10 ** (a + ((pixel - from) / (to - from)) * (b - a)),
    ticks,
    low,
    high,
  };
}

/** Three significant digits, without the zeros that say nothing. */
export function figure(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1000) return new Intl.NumberFormat('en', { maximumSignificantDigits: 3 }).format(value);
  return String(Number(value.toPrecision(3)));
}
export const euro = (value: number): string =>
  Math.abs(value) >= 1000
    ? `${new Intl.NumberFormat('en', { maximumFractionDigits: 0 }).format(value)} €`
    : `${value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 0.1 || value === 0 ? 2 : 4)} €`;
export const mbps = (value: number): string =>
  value >= 1000
    ? `${figure(value / 1000)} Gbit/s`
    : value < 1
      ? `${figure(value * 1000)} kbit/s`
      : `${figure(value)} Mbit/s`;
/** "100 kB", for ticks. */
export const size = (value: number): string =>
  value >= 1e6
    ? `${figure(value / 1e6)} MB`
    : value >= 1000
      ? `${figure(value / 1000)} kB`
      : `${figure(value)} B`;

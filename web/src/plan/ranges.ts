// What the planner's sliders go through, and where on them a figure stands.
import type { NumberName } from './question';
import { euro, figure, mbps } from './scale';

/** Slider positions are whole numbers, 0 to `steps`. */
export const steps = 240;
export interface Range {
  name: NumberName;
  title: string;
  unit: string;
  low: number;
  high: number;
  zero?: boolean;
  say: (value: number) => string;
  hint?: string;
}

export const ranges: Record<string, Range> = {
  up: { name: 'up', title: 'Uplink', unit: 'Mbit/s', low: 0.02, high: 1000, say: mbps },
  rtt: {
    name: 'rtt',
    title: 'Round trip',
    unit: 'ms',
    low: 1,
    high: 1000,
    zero: true,
    say: (v) => `${figure(v)} ms`,
  },
  rate: {
    name: 'rate',
    title: 'Images',
    unit: 'a second and device',
    low: 0.001,
    high: 100,
    say: (v) =>
      v >= 1 ? `${figure(v)} /s` : v >= 1 / 60 ? `${figure(v * 60)} /min` : `${figure(v * 3600)} /h`,
  },
  devices: {
    name: 'devices',
    title: 'Fleet',
    unit: 'devices',
    low: 1,
    high: 1_000_000,
    say: (v) => `${new Intl.NumberFormat('en').format(v)} device${v === 1 ? '' : 's'}`,
  },
  data_price: {
    name: 'data_price',
    title: 'Mobile data',
    unit: '€ a GB',
    low: 0.01,
    high: 50,
    zero: true,
    say: (v) => `${euro(v)} /GB`,
  },
  rent: {
    name: 'rent',
    title: 'Instance',
    unit: '€ an hour',
    low: 0.001,
    high: 10,
    zero: true,
    say: (v) => `${figure(v)} € /h`,
  },
  device_price: {
    name: 'device_price',
    title: 'Device',
    unit: '€',
    low: 1,
    high: 3000,
    zero: true,
    say: (v) => `${figure(v)} €`,
  },
  electricity: {
    name: 'electricity',
    title: 'Electricity',
    unit: '€ a kWh',
    low: 0.01,
    high: 1,
    zero: true,
    say: (v) => `${figure(v)} € /kWh`,
  },
  max_disagreement: {
    name: 'max_disagreement',
    title: 'Sure pictures may leave early',
    unit: 'share of verdicts that may differ',
    low: 0.0005,
    high: 0.2,
    zero: true,
    say: (v) => (v === 0 ? 'none does' : `${figure(v * 100)} % may differ`),
  },
  cloud_load: {
    name: 'cloud_load',
    title: 'Cloud busy with others',
    unit: 'share',
    low: 0,
    high: 0.95,
    say: (v) => `${Math.round(v * 100)} %`,
  },
};

export const toSlider = (range: Range, value: number): number => {
  if (range.low === 0) return Math.round((value / range.high) * steps);
  if (range.zero && value <= 0) return 0;
  const share = Math.log(Math.max(value, range.low) / range.low) / Math.log(range.high / range.low);
  return Math.round(Math.min(1, Math.max(0, share)) * (steps - (range.zero ? 1 : 0))) + (range.zero ? 1 : 0);
};
export const fromSlider = (range: Range, position: number): number => {
  if (range.low === 0) return Number(((position / steps) * range.high).toPrecision(2));
  if (range.zero && position === 0) return 0;
  const share = (position - (range.zero ? 1 : 0)) / (steps - (range.zero ? 1 : 0));
  const value = range.low * (range.high / range.low) ** share;
  return range.name === 'devices' ? Number(Math.round(value).toPrecision(2)) : Number(value.toPrecision(3));
};

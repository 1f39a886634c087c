// One set of colours for the map's canvas and the page around it; the style sheet holds the same names.
// Ramps change in lightness all the way, so that they read in grey and with any colour vision. What device, cloud, network and
// mechanisms look like is shared with the reports (src/report/colours.inc).
import { dark as sharedDark, light as sharedLight, type SharedColours } from 'fogline-colours';

export interface Palette {
  sea: string;
  land: string;
  border: string;
  label: string;
  halo: string;
  graticule: string;
  track: string;
  road: string;
  green: string;
  ramp: string[];
  quiet: string;
  ring: string;
  focus: string;
  shared: SharedColours;
}

export const light: Palette = {
  sea: '#dfe7ea',
  land: '#f6f3ec',
  border: '#cdc6b8',
  label: '#7b7466',
  halo: '#f6f3ec',
  graticule: '#cfd3d0',
  track: '#6d7f8c',
  road: '#ffffff',
  green: '#e3ead9',
  ramp: ['#fde3a0', '#fbbe55', '#ee8f2b', '#c25e12', '#86360a'],
  quiet: '#7f929e',
  ring: '#ffffff',
  focus: '#14202b',
  shared: sharedLight,
};
export const dark: Palette = {
  sea: '#0e151c',
  land: '#18212a',
  border: '#33404c',
  label: '#8b99a5',
  halo: '#18212a',
  graticule: '#26323d',
  track: '#7e93a3',
  road: '#2c3945',
  green: '#1b2a26',
  ramp: ['#5a3312', '#93531a', '#cf7f26', '#f5b04a', '#ffe2a6'],
  quiet: '#6f8494',
  ring: '#0e151c',
  focus: '#ffffff',
  shared: sharedDark,
};

const roles: Record<string, keyof SharedColours> = {
  'edge-only': 'edge',
  'cloud-only': 'cloud',
  split: 'split',
};

/** A mechanism's colour in the document, which follows light and dark. */
export const mechanismColour = (name: string): string => (roles[name] ? `var(--${roles[name]})` : '#7f7f7f');
/** The same for a canvas. */
export const mechanismPaint = (name: string, palette: Palette): string =>
  roles[name] ? palette.shared[roles[name]] : '#7f7f7f';

/** Where the colours of the ramp change, for counts up to `most`: even steps of the logarithm. */
export function breaks(most: number, steps: number): number[] {
  const limits: number[] = [];
  for (let i = 1; i < steps; i += 1) {
    const limit = Math.max(i + 1, Math.round(Math.exp((Math.log(Math.max(most, steps)) * i) / steps)));
    limits.push(limit);
  }
  return limits;
}

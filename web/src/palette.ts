// One set of colours for the map's canvas and the page around it; the style sheet holds the same names.
// Ramps change in lightness all the way, so that they read in grey and with any colour vision. What device, cloud, network and
// mechanisms look like is shared with the reports (src/report/colours.inc).
import { dark as sharedDark, light as sharedLight, type SharedColours } from 'fogline-colours';

export interface Palette {
  night: boolean;
  sea: string;
  land: string;
  border: string;
  label: string;
  halo: string;
  graticule: string;
  track: string;
  // Streets, from a base map.
  road: string;
  mainRoad: string;
  motorway: string;
  roadEdge: string;
  path: string;
  rail: string;
  built: string;
  green: string;
  wood: string;
  sand: string;
  building: string;
  buildingEdge: string;
  streetName: string;
  placeName: string;
  waterName: string;
  ramp: string[];
  quiet: string;
  ring: string;
  focus: string;
  shared: SharedColours;
}

export const light: Palette = {
  night: false,
  sea: '#cfdfe6',
  land: '#f6f3ec',
  border: '#cdc6b8',
  label: '#7b7466',
  halo: '#f6f3ec',
  graticule: '#cfd3d0',
  track: '#6d7f8c',
  road: '#ffffff',
  mainRoad: '#fdf3d9',
  motorway: '#f8e2b4',
  roadEdge: '#dcd5c7',
  path: '#d3c8b3',
  rail: '#c4bfb6',
  built: '#f0ece3',
  green: '#e4ebd8',
  wood: '#d5e1c8',
  sand: '#f3ead0',
  building: '#e8e1d4',
  buildingEdge: '#d9d1c1',
  streetName: '#6d6658',
  placeName: '#4b463c',
  waterName: '#5f87a0',
  ramp: ['#fde3a0', '#fbbe55', '#ee8f2b', '#c25e12', '#86360a'],
  quiet: '#7f929e',
  ring: '#ffffff',
  focus: '#14202b',
  shared: sharedLight,
};
export const dark: Palette = {
  night: true,
  sea: '#0d1a27',
  land: '#18212a',
  border: '#33404c',
  label: '#8b99a5',
  halo: '#18212a',
  graticule: '#26323d',
  track: '#7e93a3',
  road: '#2b3742',
  mainRoad: '#37434e',
  motorway: '#46525c',
  roadEdge: '#131a21',
  path: '#2a3540',
  rail: '#36424d',
  built: '#1c262f',
  green: '#1e2f27',
  wood: '#173526',
  sand: '#25292a',
  building: '#212c36',
  buildingEdge: '#2a3641',
  streetName: '#93a0ab',
  placeName: '#b9c4cd',
  waterName: '#58788e',
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

// Meridians and parallels at steps that suit the zoom: what gives the eye hold where no base map is.
import type { Feature, FeatureCollection } from 'geojson';

const steps = [30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001];

/** Degrees between lines, so that about eight cross a screen `span` degrees wide. */
export const stepFor = (span: number): number => steps.find((step) => span / step >= 6) ?? 0.0001;

export function graticule(west: number, south: number, east: number, north: number): FeatureCollection {
  const step = stepFor(Math.max(1e-4, east - west));
  const features: Feature[] = [];
  const low = Math.max(-85, south);
  const high = Math.min(85, north);
  const line = (coordinates: [number, number][]): void => {
    features.push({ type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates } });
  };
  for (let i = Math.floor(west / step); i <= Math.ceil(east / step); i += 1)
    line([
      [i * step, low],
      [i * step, high],
    ]);
  for (let i = Math.floor(low / step); i <= Math.ceil(high / step); i += 1)
    line([
      [west, i * step],
      [east, i * step],
    ]);
  return { type: 'FeatureCollection', features };
}

// The map: land, hexagons when far, points and tracks when near. Draws what it is given and tells what is touched.
import maplibregl from 'maplibre-gl';
import type { ExpressionSpecification, GeoJSONSource, MapMouseEvent, StyleSpecification } from 'maplibre-gl';
import type { Feature, FeatureCollection, Geometry, Position } from 'geojson';
import { feature, mesh } from 'topojson-client';
import type { Config, Placed } from './api';
import { addBasemap, basemapId } from './basemap';
import { wrapLon } from './extent';
import { graticule } from './graticule';
import { breaks, dark, light, mechanismPaint, type Palette } from './palette';
import type { View } from './state';

maplibregl.setWorkerUrl('/maplibre-worker.js');

export interface HexFeature {
  ring: Position[];
  count: number;
  positives: number;
  maxScore: number;
  newest: number;
}
export interface Touch {
  kind: 'point' | 'hex';
  x: number;
  y: number;
  id?: number;
  ids?: number[]; // all that lie there
  hex?: Omit<HexFeature, 'ring'>;
}
export interface Box {
  west: number;
  south: number;
  east: number;
  north: number;
}
/** A corner was set; `isAt` says whether it lies where a finger cannot tell it from another place. */
export type CornerSet = (lon: number, lat: number, isAt: (lon: number, lat: number) => boolean) => void;
interface Events {
  moved: () => void;
  picked: (ids: number[]) => void; // all that lie there, the uppermost first; none: nothing
  hovered: (touch: Touch | null) => void;
  /** The base map answers, or does not; everything else goes on. */
  streets: (there: boolean) => void;
}

/** Where the colours of shares change. */
export const shareLimits = [0.1, 0.25, 0.5, 0.75];

const empty: FeatureCollection = { type: 'FeatureCollection', features: [] };
const font = ['system-ui', 'Segoe UI', 'Roboto', 'Noto Sans', 'sans-serif'];

/** Whether everything that was asked for has come and is drawn: for whoever takes pictures of the page. */
const settled = (is: boolean): void => {
  document.documentElement.dataset['settled'] = String(is);
};

export class MapView {
  readonly map: maplibregl.Map;
  private palette: Palette;
  private readonly ready: Promise<void>;
  private basemap: Config['basemap'] | null = null;
  private corner: CornerSet | null = null; // a region is being drawn
  private laying = false; // the base map is being asked for
  private pulses: { at: Position; born: number }[] = [];
  private legend: number[] = [];

  constructor(
    container: HTMLElement,
    view: View | null,
    isDark: boolean,
    private readonly events: Events,
  ) {
    this.palette = isDark ? dark : light;
    this.map = new maplibregl.Map({
      container,
      style: this.style(),
      center: view ? [view.lon, view.lat] : [10, 25],
      zoom: view ? view.zoom : 1.2,
      minZoom: 0,
      maxZoom: 20,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: 0,
      renderWorldCopies: true,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new maplibregl.NavigationControl({ showCompass: false }), 'top-right');
    this.map.addControl(new maplibregl.ScaleControl({ maxWidth: 120 }), 'bottom-right');
    this.map.addControl(
      new maplibregl.AttributionControl({
        compact: false,
        customAttribution: 'Land: Natural Earth',
      }),
      'bottom-right',
    );
    const canvas = this.map.getCanvas();
    canvas.setAttribute('aria-label', 'Map of detections. Arrow keys move it, plus and minus zoom.');
    this.ready = new Promise((resolve) => {
      this.map.once('load', () => resolve());
    });
    this.map.on('moveend', () => this.events.moved());
    this.map.on('move', () => this.drawGraticule());
    this.map.on('click', (event) => this.pick(event));
    this.map.on('mousemove', (event) => this.hover(event));
    this.map.on('error', (event: { error: Error; sourceId?: string }) => {
      if (event.sourceId === basemapId) this.events.streets(false);
      else console.error(event.error);
    });
    this.map.on('render', () => settled(false));
    this.map.on('idle', () => settled(this.basemap !== null && !this.laying));
    this.map.on('sourcedata', (event) => {
      if (event.sourceId === basemapId && event.tile !== undefined) this.events.streets(true);
    });
    this.map.on('mouseout', () => this.events.hovered(null));
    void this.loadLand();
    void this.ready.then(() => this.drawGraticule());
  }

  whenReady(): Promise<void> {
    return this.ready;
  }

  async useBasemap(basemap: Config['basemap']): Promise<void> {
    if (this.basemap !== null) return;
    this.basemap = basemap;
    await this.ready;
    await this.layBasemap();
  }

  private async layBasemap(): Promise<void> {
    this.map.triggerRepaint();
    if (this.basemap === null || this.basemap.kind === 'land') return;
    this.laying = true;
    this.map.setLayoutProperty('graticule', 'visibility', 'none');
    // Streets show through, and their names stay readable.
    this.map.setPaintProperty('hexagons', 'fill-opacity', ['match', ['get', 'shade'], 0, 0.2, 0.66]);
    await addBasemap(this.map, this.basemap, this.palette, { ground: 'graticule', names: 'tracks' }).finally(
      () => {
        this.laying = false;
        this.map.triggerRepaint();
      },
    );
  }

  private style(): StyleSpecification {
    const p = this.palette;
    const source = { type: 'geojson', data: empty } as const;
    const count: ExpressionSpecification = ['get', 'shade'];
    return {
      version: 8,
      sources: {
        land: source,
        borders: source,
        names: source,
        graticule: source,
        hexagons: source,
        tracks: source,
        points: source,
        selected: source,
        region: source,
        heat: source,
        pulses: source,
      },
      layers: [
        {
          id: 'sea',
          type: 'background',
          // Close up the coast would be wrong by kilometres: the land's colour everywhere says nothing false.
          paint: { 'background-color': ['interpolate', ['linear'], ['zoom'], 6.5, p.sea, 8, p.land] },
        },
        {
          id: 'land',
          type: 'fill',
          source: 'land',
          maxzoom: 9,
          paint: { 'fill-color': p.land, 'fill-antialias': true },
        },
        {
          id: 'graticule',
          type: 'line',
          source: 'graticule',
          paint: {
            'line-color': p.graticule,
            'line-width': 1,
            'line-opacity': ['interpolate', ['linear'], ['zoom'], 2, 0.35, 9, 0.9],
          },
        },
        {
          id: 'borders',
          type: 'line',
          source: 'borders',
          maxzoom: 9,
          paint: {
            'line-color': p.border,
            'line-width': ['interpolate', ['linear'], ['zoom'], 1, 0.5, 6, 1.2],
            'line-opacity': ['interpolate', ['linear'], ['zoom'], 7, 1, 8.5, 0],
          },
        },
        {
          id: 'hexagons',
          type: 'fill',
          source: 'hexagons',
          paint: {
            'fill-color': [
              'match',
              count,
              1,
              p.ramp[0]!,
              2,
              p.ramp[1]!,
              3,
              p.ramp[2]!,
              4,
              p.ramp[3]!,
              5,
              p.ramp[4]!,
              p.quiet,
            ],
            'fill-opacity': ['match', count, 0, 0.35, 0.88],
          },
        },
        {
          id: 'heat',
          type: 'heatmap',
          source: 'heat',
          paint: {
            'heatmap-weight': ['get', 'weight'],
            'heatmap-radius': ['get', 'reach'],
            'heatmap-intensity': 1.4,
            'heatmap-opacity': 0.82,
            'heatmap-color': [
              'interpolate',
              ['linear'],
              ['heatmap-density'],
              0,
              `${p.ramp[0]!}00`, // the first colour, and nothing of it
              0.12,
              p.ramp[0]!,
              0.35,
              p.ramp[1]!,
              0.6,
              p.ramp[2]!,
              0.8,
              p.ramp[3]!,
              1,
              p.ramp[4]!,
            ],
          },
        },
        {
          id: 'names',
          type: 'symbol',
          source: 'names',
          minzoom: 2.5,
          maxzoom: 8,
          layout: {
            'text-field': ['get', 'name'],
            'text-font': font,
            'text-size': ['interpolate', ['linear'], ['zoom'], 3, 11, 6, 15],
            'text-max-width': 7,
            'text-letter-spacing': 0.06,
          },
          paint: { 'text-color': p.label, 'text-halo-color': p.halo, 'text-halo-width': 1.4 },
        },
        {
          id: 'tracks',
          type: 'line',
          source: 'tracks',
          layout: { 'line-join': 'round', 'line-cap': 'round' },
          paint: {
            'line-color': p.track,
            'line-width': ['interpolate', ['linear'], ['zoom'], 10, 1, 16, 2.5],
            'line-opacity': 0.55,
          },
        },
        {
          id: 'headings',
          type: 'line',
          source: 'points',
          filter: ['==', ['geometry-type'], 'LineString'],
          paint: { 'line-color': ['get', 'colour'], 'line-width': 2, 'line-opacity': 0.8 },
        },
        {
          id: 'points',
          type: 'circle',
          source: 'points',
          filter: ['==', ['geometry-type'], 'Point'],
          layout: { 'circle-sort-key': ['get', 'order'] },
          paint: {
            'circle-color': ['get', 'colour'],
            'circle-radius': [
              'interpolate',
              ['linear'],
              ['zoom'],
              4,
              ['case', ['get', 'positive'], 4.5, 3],
              15,
              ['case', ['get', 'positive'], 7.5, 5],
              19,
              ['case', ['get', 'positive'], 11, 8],
            ],
            'circle-stroke-color': p.ring,
            'circle-stroke-width': 1.5,
            'circle-opacity': ['case', ['get', 'positive'], 1, 0.75],
          },
        },
        {
          id: 'region-ground',
          type: 'fill',
          source: 'region',
          filter: ['==', ['geometry-type'], 'Polygon'],
          paint: { 'fill-color': p.focus, 'fill-opacity': 0.07 },
        },
        {
          id: 'region-edge',
          type: 'line',
          source: 'region',
          filter: ['!=', ['geometry-type'], 'Point'],
          layout: { 'line-join': 'round', 'line-cap': 'round' },
          paint: { 'line-color': p.focus, 'line-width': 2.5, 'line-dasharray': [2, 1.5] },
        },
        {
          id: 'region-corners',
          type: 'circle',
          source: 'region',
          filter: ['==', ['geometry-type'], 'Point'],
          paint: {
            'circle-radius': 6,
            'circle-color': p.ring,
            'circle-stroke-color': p.focus,
            'circle-stroke-width': 2.5,
          },
        },
        {
          id: 'pulses',
          type: 'circle',
          source: 'pulses',
          paint: {
            'circle-radius': ['+', 6, ['*', 26, ['get', 'age']]],
            'circle-color': 'rgba(0,0,0,0)',
            'circle-stroke-color': p.ramp[2]!,
            'circle-stroke-width': 2,
            'circle-stroke-opacity': ['-', 1, ['get', 'age']],
          },
        },
        {
          id: 'selected',
          type: 'circle',
          source: 'selected',
          paint: {
            'circle-radius': 14,
            'circle-color': 'rgba(0,0,0,0)',
            'circle-stroke-color': p.focus,
            'circle-stroke-width': 2.5,
          },
        },
      ],
    };
  }

  private set(source: string, data: FeatureCollection): void {
    (this.map.getSource(source) as GeoJSONSource | undefined)?.setData(data);
  }

  private async loadLand(): Promise<void> {
    const world = await (await fetch('/world.json')).json();
    const countries = feature(world, world.objects.countries) as unknown as FeatureCollection;
    for (const country of countries.features) unwrap(country);
    const borders = mesh(world, world.objects.countries, (a, b) => a !== b);
    const names: Feature[] = countries.features.flatMap((country) => {
      const at = labelPoint(country);
      return at
        ? [
            {
              type: 'Feature' as const,
              properties: country.properties,
              geometry: { type: 'Point' as const, coordinates: at },
            },
          ]
        : [];
    });
    await this.ready;
    this.set('land', countries);
    this.set('borders', {
      type: 'FeatureCollection',
      features: [{ type: 'Feature', properties: {}, geometry: borders }],
    });
    this.set('names', { type: 'FeatureCollection', features: names });
  }

  setDark(isDark: boolean): void {
    settled(false);
    this.palette = isDark ? dark : light;
    const old = this.map.getStyle();
    const fresh = this.style();
    // Keep the data: only paint changes. What the operator's base map added comes back in new colours.
    const sources = Object.fromEntries(Object.entries(old.sources).filter(([name]) => name in fresh.sources));
    this.map.setStyle({ ...fresh, sources }, { diff: true });
    void this.layBasemap().catch(() => this.events.streets(false));
    this.drawGraticule();
  }

  view(): View {
    const at = this.map.getCenter();
    return { lon: wrapLon(at.lng), lat: at.lat, zoom: this.map.getZoom() };
  }

  /** What is on the screen and a margin around it, so that small moves need no new data. */
  box(margin = 0.25): Box {
    const bounds = this.map.getBounds();
    const width = bounds.getEast() - bounds.getWest();
    const height = bounds.getNorth() - bounds.getSouth();
    const west = bounds.getWest() - width * margin;
    const east = bounds.getEast() + width * margin;
    const south = Math.max(-90, bounds.getSouth() - height * margin);
    const north = Math.min(90, bounds.getNorth() + height * margin);
    // Mercator's edge stands for the poles.
    const low = south < -84 ? -90 : south;
    const high = north > 84 ? 90 : north;
    if (east - west >= 360) return { west: -180, south: low, east: 180, north: high };
    return { west: wrapLon(west), south: low, east: wrapLon(east), north: high };
  }

  go(view: View, quickly = false): void {
    const still = quickly || matchMedia('(prefers-reduced-motion: reduce)').matches;
    const to = { center: [view.lon, view.lat] as [number, number], zoom: view.zoom };
    if (still) this.map.jumpTo(to);
    else this.map.easeTo({ ...to, duration: 600 });
  }

  fit(west: number, south: number, east: number, north: number): void {
    this.map.fitBounds(
      [
        [west, Math.max(-80, south)],
        [east, Math.min(80, north)],
      ],
      { padding: 60, maxZoom: 16, animate: false },
    );
  }

  private drawGraticule(): void {
    const b = this.map.getBounds();
    const margin = (b.getEast() - b.getWest()) * 0.2;
    this.set(
      'graticule',
      graticule(b.getWest() - margin, b.getSouth() - margin, b.getEast() + margin, b.getNorth() + margin),
    );
  }

  /** Coloured by how many are worth a report, or by which share of all is. */
  drawHexagons(hexes: HexFeature[], by: 'counts' | 'share'): void {
    const most = hexes.reduce((high, hex) => Math.max(high, hex.positives), 1);
    this.legend = by === 'share' ? shareLimits : breaks(most, 5);
    const step = (n: number): number => 1 + this.legend.filter((limit) => n >= limit).length;
    const shade = ({ positives, count }: HexFeature): number =>
      positives === 0 ? 0 : step(by === 'share' ? positives / count : positives);
    this.set('hexagons', {
      type: 'FeatureCollection',
      features: hexes.map((hex) => ({
        type: 'Feature',
        properties: {
          count: hex.count,
          positives: hex.positives,
          maxScore: hex.maxScore,
          newest: hex.newest,
          shade: shade(hex),
        },
        geometry: { type: 'Polygon', coordinates: [hex.ring] },
      })),
    });
  }

  /** The warmth of places, each as warm as its weight (0 to 1) and so many pixels around it. */
  drawHeat(places: { lon: number; lat: number; weight: number }[], reach: number): void {
    this.set('heat', {
      type: 'FeatureCollection',
      features: places.map(({ lon, lat, weight }) => ({
        type: 'Feature',
        properties: { weight, reach },
        geometry: { type: 'Point', coordinates: [lon, lat] },
      })),
    });
  }

  /** Lower limits of the ramp's steps, as last drawn. */
  limits(): number[] {
    return this.legend;
  }
  colours(): string[] {
    return this.palette.ramp;
  }
  quiet(): string {
    return this.palette.quiet;
  }

  drawPoints(points: Placed[], byMechanism: boolean): void {
    const features: Feature[] = [];
    const reach = 17 / (512 * 2 ** this.map.getZoom()); // 17 px in the Mercator square
    for (const point of points) {
      const colour = byMechanism
        ? mechanismPaint(point.mechanism, this.palette)
        : point.positive
          ? this.palette.ramp[Math.min(4, 1 + Math.floor(point.score * 3.99))]!
          : this.palette.quiet;
      const properties = { id: point.id, positive: point.positive, colour, order: point.positive ? 1 : 0 };
      features.push({
        type: 'Feature',
        properties,
        geometry: { type: 'Point', coordinates: [point.lon, point.lat] },
      });
      if (point.heading_deg !== undefined && this.map.getZoom() >= 15.5) {
        const angle = (point.heading_deg * Math.PI) / 180;
        const lat = point.lat + reach * 360 * Math.cos(angle) * Math.cos((point.lat * Math.PI) / 180);
        features.push({
          type: 'Feature',
          properties,
          geometry: {
            type: 'LineString',
            coordinates: [
              [point.lon, point.lat],
              [point.lon + reach * 360 * Math.sin(angle), lat],
            ],
          },
        });
      }
    }
    this.set('points', { type: 'FeatureCollection', features });
  }

  drawTracks(lines: Position[][]): void {
    this.set('tracks', {
      type: 'FeatureCollection',
      features: lines.map((coordinates) => ({
        type: 'Feature',
        properties: {},
        geometry: { type: 'LineString', coordinates },
      })),
    });
  }

  /** A region, or the corners of one that is being drawn. */
  drawRegion(region: Position[] | null, corners: Position[]): void {
    const shape = (geometry: Geometry): Feature => ({ type: 'Feature', properties: {}, geometry });
    const features: Feature[] = corners.map((coordinates) => shape({ type: 'Point', coordinates }));
    if (region) features.push(shape({ type: 'Polygon', coordinates: [[...region, region[0]!]] }));
    if (corners.length > 1) features.push(shape({ type: 'LineString', coordinates: corners }));
    this.set('region', { type: 'FeatureCollection', features });
  }

  /** Until called with null, clicks set corners: where, and whether that is as good as at another place. */
  drawCorners(corner: CornerSet | null): void {
    this.corner = corner;
    this.map.getCanvas().style.cursor = corner ? 'crosshair' : '';
    if (corner) this.map.doubleClickZoom.disable();
    else this.map.doubleClickZoom.enable();
  }

  /** What the map shows, as a picture. */
  picture(): Promise<string> {
    return new Promise((resolve) => {
      this.map.once('render', () => resolve(this.map.getCanvas().toDataURL('image/jpeg', 0.9)));
      this.map.triggerRepaint();
    });
  }

  /** Until all that is asked for has come, or some seconds are over. */
  still(): Promise<void> {
    return new Promise((resolve) => {
      this.map.once('idle', () => resolve());
      this.map.triggerRepaint();
      setTimeout(resolve, 4000);
    });
  }

  /** Whose map it is, in words. */
  credits(): string {
    return this.map.getContainer().querySelector('.maplibregl-ctrl-attrib-inner')?.textContent ?? '';
  }

  select(at: Position | null): void {
    this.set(
      'selected',
      at === null
        ? empty
        : {
            type: 'FeatureCollection',
            features: [{ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: at } }],
          },
    );
  }

  /** A ring that widens and fades where something has just arrived. */
  pulse(lon: number, lat: number): void {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    if (this.pulses.length >= 60) return;
    this.pulses.push({ at: [lon, lat], born: performance.now() });
    if (this.pulses.length === 1) requestAnimationFrame(() => this.drawPulses());
  }

  private drawPulses(): void {
    const now = performance.now();
    this.pulses = this.pulses.filter((pulse) => now - pulse.born < 1600);
    this.set('pulses', {
      type: 'FeatureCollection',
      features: this.pulses.map((pulse) => ({
        type: 'Feature',
        properties: { age: Math.min(1, (now - pulse.born) / 1600) },
        geometry: { type: 'Point', coordinates: pulse.at },
      })),
    });
    if (this.pulses.length > 0) setTimeout(() => requestAnimationFrame(() => this.drawPulses()), 50);
  }

  private at(event: MapMouseEvent): Touch | null {
    const { x, y } = event.point;
    const found = this.map.queryRenderedFeatures(
      [
        [x - 5, y - 5],
        [x + 5, y + 5],
      ],
      { layers: ['points'] },
    );
    const ids = [...new Set(found.map(({ properties }) => Number(properties['id'])))];
    if (ids.length > 0) return { kind: 'point', x, y, id: ids[0]!, ids };
    const hex = this.map.queryRenderedFeatures([x, y], { layers: ['hexagons'] })[0];
    if (!hex) return null;
    const { count, positives, maxScore, newest } = hex.properties as Omit<HexFeature, 'ring'>;
    return { kind: 'hex', x, y, hex: { count, positives, maxScore, newest } };
  }

  private pick(event: MapMouseEvent): void {
    if (this.corner) {
      const { x, y } = event.point;
      const isAt = (lon: number, lat: number): boolean => {
        const corner = this.map.project([lon, lat]);
        return Math.hypot(corner.x - x, corner.y - y) < 14;
      };
      this.corner(event.lngLat.lng, event.lngLat.lat, isAt);
      return;
    }
    const touch = this.at(event);
    if (touch?.kind === 'hex') {
      this.map.easeTo({ center: event.lngLat, zoom: Math.min(20, this.map.getZoom() + 2) });
    } else {
      this.events.picked(touch?.ids ?? []);
    }
  }

  private hover(event: MapMouseEvent): void {
    if (this.corner) return;
    const touch = this.at(event);
    this.map.getCanvas().style.cursor = touch ? 'pointer' : '';
    this.events.hovered(touch);
  }
}

/** Rings that cross the 180th meridian go on beyond it, instead of back round the world. (The ring round the south pole
 *  does go round the world; it lies below the map's edge.) */
function unwrap(country: Feature): void {
  const polygons =
    country.geometry.type === 'Polygon'
      ? [country.geometry.coordinates]
      : country.geometry.type === 'MultiPolygon'
        ? country.geometry.coordinates
        : [];
  for (const ring of polygons.flat()) {
    for (let i = 1; i < ring.length; i += 1) {
      const step = ring[i]![0]! - ring[i - 1]![0]!;
      if (Math.abs(step) > 180 && ring[i]![1]! > -80) ring[i]![0]! -= 360 * Math.sign(step);
    }
  }
}

/** The middle of a country's largest ring: where its name goes. */
function labelPoint(country: Feature): Position | null {
  const rings: Position[][] =
    country.geometry.type === 'Polygon'
      ? [country.geometry.coordinates[0]!]
      : country.geometry.type === 'MultiPolygon'
        ? country.geometry.coordinates.map((polygon) => polygon[0]!)
        : [];
  let best: { area: number; at: Position } | null = null;
  for (const ring of rings) {
    let area = 0,
      x = 0,
      y = 0;
    for (let i = 0; i + 1 < ring.length; i += 1) {
      const [ax, ay] = ring[i] as [number, number];
      const [bx, by] = ring[i + 1] as [number, number];
      const cross = ax * by - bx * ay;
      area += cross;
      x += (ax + bx) * cross;
      y += (ay + by) * cross;
    }
    if (area !== 0 && Math.abs(area) > (best?.area ?? 0.5))
      best = { area: Math.abs(area), at: [x / (3 * area), y / (3 * area)] };
  }
  return best?.at ?? null;
}

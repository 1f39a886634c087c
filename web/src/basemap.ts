// A base map of the operator's: raster tiles by address, or a PMTiles archive (raster, or vector in the layers that
// Protomaps and OpenMapTiles use). Drawn quietly, beneath the data.
import maplibregl from 'maplibre-gl';
import type { LayerSpecification } from 'maplibre-gl';
import type { Config } from './api';
import type { Palette } from './palette';

const id = 'basemap';
export const isBasemapLayer = (layer: string): boolean => layer.startsWith(id);

/** Adds the source and its layers below `before`; returns nothing when there is none to add. */
export async function addBasemap(
  map: maplibregl.Map,
  config: Config['basemap'],
  palette: Palette,
  before: string,
): Promise<void> {
  const { kind, attribution } = config;
  if (kind === 'land' || map.getSource(id)) return;
  if (kind === 'tiles') {
    map.addSource(id, {
      type: 'raster',
      tiles: [config.url],
      tileSize: 256,
      maxzoom: 19,
      attribution: plain(attribution),
    });
    map.addLayer(raster, before);
    return;
  }
  const { PMTiles, Protocol, TileType } = await import('pmtiles');
  const protocol = new Protocol();
  const url = new URL(config.url, location.href).href;
  const archive = new PMTiles(url);
  protocol.add(archive);
  maplibregl.addProtocol('pmtiles', protocol.tile);
  const header = await archive.getHeader();
  if (header.tileType === TileType.Mvt) {
    map.addSource(id, { type: 'vector', url: `pmtiles://${url}`, attribution: plain(attribution) });
    for (const layer of vector(palette)) map.addLayer(layer, before);
  } else {
    map.addSource(id, {
      type: 'raster',
      url: `pmtiles://${url}`,
      tileSize: 256,
      attribution: plain(attribution),
    });
    map.addLayer(raster, before);
  }
}

const raster: LayerSpecification = {
  id,
  type: 'raster',
  source: id,
  paint: { 'raster-saturation': -0.6, 'raster-opacity': 0.85 },
};

/** MapLibre takes attributions as HTML; ours are text. */
const plain = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

function vector(p: Palette): LayerSpecification[] {
  const fill = (layer: string, colour: string, opacity = 1): LayerSpecification => ({
    id: `${id}-${layer}`,
    type: 'fill',
    source: id,
    'source-layer': layer,
    paint: { 'fill-color': colour, 'fill-opacity': opacity },
  });
  const road = (layer: string): LayerSpecification => ({
    id: `${id}-${layer}`,
    type: 'line',
    source: id,
    'source-layer': layer,
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: {
      'line-color': p.road,
      'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 8, 0.5, 14, 2, 18, 12],
    },
  });
  const names = (layer: string): LayerSpecification => ({
    id: `${id}-${layer}`,
    type: 'symbol',
    source: id,
    'source-layer': layer,
    layout: {
      'text-field': ['get', 'name'],
      'text-font': ['system-ui', 'Noto Sans', 'sans-serif'],
      'text-size': 12,
      'text-max-width': 8,
    },
    paint: { 'text-color': p.label, 'text-halo-color': p.halo, 'text-halo-width': 1.4 },
  });
  return [
    fill('earth', p.land),
    fill('landcover', p.green, 0.5),
    fill('landuse', p.green, 0.5),
    fill('park', p.green, 0.6),
    fill('water', p.sea),
    road('roads'),
    road('transportation'),
    fill('buildings', p.border, 0.5),
    fill('building', p.border, 0.5),
    names('places'),
    names('place'),
  ];
}

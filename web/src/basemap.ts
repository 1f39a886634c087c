// A base map of the operator's, beneath the data: pictures of streets by address, vector tiles by address, or a PMTiles archive of
// either kind, ours or another server's. Nothing here is asked of anybody unless the operator named it.
import maplibregl from 'maplibre-gl';
import type { LayerSpecification } from 'maplibre-gl';
import type { PMTiles } from 'pmtiles';
import type { Config } from './api';
import type { Palette } from './palette';
import type { Schema } from './street_schemas';

export const basemapId = 'basemap';

/** Where a base map's layers go: the ground below one layer, the names below another. */
export interface Places {
  ground: string;
  names: string;
}

/** Adds the source and its layers; false when there is none to add. Fails where the archive cannot be read. */
export async function addBasemap(
  map: maplibregl.Map,
  config: Config['basemap'],
  palette: Palette,
  places: Places,
): Promise<boolean> {
  if (config.kind === 'land') return false;
  const source = await sourceOf(config);
  if (map.getSource(basemapId)) return true;
  map.addSource(basemapId, source.source);
  if (source.schemas === null) {
    map.addLayer(raster(palette), places.ground);
    return true;
  }
  const { streetLayers } = await import('./street_layers');
  if (!map.getSource(basemapId)) return true; // the style has changed meanwhile, and whoever changed it adds them
  for (const schema of source.schemas) {
    const { ground, names } = streetLayers(basemapId, schema, palette, source.has);
    const add = (layer: LayerSpecification, before: string): void => {
      if (!map.getLayer(layer.id)) map.addLayer(layer, before);
    };
    for (const layer of ground) add(layer, places.ground);
    for (const layer of names) add(layer, places.names);
  }
  return true;
}

/** What an archive's names are read from, where it has any. */
export function archiveOfNames(): { archive: PMTiles; schema: Schema } | null {
  return opened !== null && named !== null ? { archive: opened, schema: named } : null;
}

interface Source {
  source: maplibregl.SourceSpecification;
  schemas: Schema[] | null; // null: pictures
  has: ReadonlySet<string> | null;
}

async function sourceOf(config: Config['basemap']): Promise<Source> {
  const attribution = plain(config.attribution);
  if (config.kind === 'tiles') {
    return {
      source: { type: 'raster', tiles: [config.url], tileSize: 256, maxzoom: 19, attribution },
      schemas: null,
      has: null,
    };
  }
  if (config.kind === 'vector') {
    const { openMapTiles, protomaps } = await import('./street_schemas');
    return {
      source: { type: 'vector', tiles: [config.url], maxzoom: 14, attribution },
      // Which of them it is the tiles themselves tell: of the other nothing is drawn.
      schemas: [openMapTiles, protomaps],
      has: null,
    };
  }
  return archive(config);
}

let opened: PMTiles | null = null;
let named: Schema | null = null;

async function archive(config: Config['basemap']): Promise<Source> {
  const { PMTiles, Protocol, TileType } = await import('pmtiles');
  const url = new URL(config.url, location.href).href;
  if (opened === null) {
    opened = new PMTiles(url);
    const protocol = new Protocol();
    protocol.add(opened);
    maplibregl.addProtocol('pmtiles', protocol.tile);
  }
  const file = opened;
  const header = await file.getHeader();
  const about = (await file.getMetadata()) as {
    attribution?: string;
    vector_layers?: { id: string }[];
  } | null;
  const credit = config.attribution || text(about?.attribution ?? '');
  const attribution = plain(credit || 'Streets of a source that does not name itself');
  const common = { url: `pmtiles://${url}`, attribution };
  if (header.tileType !== TileType.Mvt) {
    return { source: { type: 'raster', tileSize: 256, ...common }, schemas: null, has: null };
  }
  const { openMapTiles, protomaps, schemaOf } = await import('./street_schemas');
  const layers = (about?.vector_layers ?? []).map((layer) => layer.id);
  const schema = schemaOf(layers);
  named = schema;
  if (schema === null && layers.length > 0) {
    throw new Error(
      `The base map's layers (${layers.slice(0, 4).join(', ')} …) are neither OpenMapTiles' nor Protomaps': no streets are shown`,
    );
  }
  return {
    source: { type: 'vector', ...common },
    schemas: schema === null ? [openMapTiles, protomaps] : [schema],
    has: layers.length > 0 ? new Set(layers) : null,
  };
}

/** Made for paper: the darker half of the page turns it inside out, and its colours round, so that water stays blue. */
const raster = (palette: Palette): LayerSpecification => ({
  id: basemapId,
  type: 'raster',
  source: basemapId,
  paint: palette.night
    ? {
        'raster-saturation': -0.7,
        'raster-hue-rotate': 180,
        'raster-brightness-min': 0.72,
        'raster-brightness-max': 0.08,
      }
    : { 'raster-saturation': -0.6, 'raster-opacity': 0.85 },
});

/** Out of a credit in HTML, as tiles bring it, the words. */
const text = (html: string): string =>
  new DOMParser().parseFromString(html, 'text/html').body.textContent?.trim() ?? '';

/** MapLibre takes attributions as HTML; ours are text. */
const plain = (words: string): string => words.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

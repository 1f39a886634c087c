// What the two kinds of vector tiles that people have call the things on a map: OpenMapTiles (Planetiler, OpenFreeMap, MapTiler …)
// and Protomaps, whose newer archives say `kind` where older ones say `pmap:kind`.
import type { ExpressionSpecification, FilterSpecification } from 'maplibre-gl';

/** A layer of the tiles, or the part of it that a filter passes. */
export interface Part {
  layer: string;
  only?: FilterSpecification;
}

/** Roads by how much they matter: 6 motorways, 5 main, 4 connecting, 3 of a neighbourhood, 2 service, 1 paths, 0 none of these. */
export interface Schema {
  name: string;
  land: Part[];
  built: Part[];
  green: Part[];
  wood: Part[];
  sand: Part[];
  water: Part[];
  streams: Part[];
  buildings: Part[];
  borders: Part[];
  roads: { layer: string; rank: ExpressionSpecification };
  rails: Part;
  roadNames: { layer: string; rank: ExpressionSpecification };
  /** 4 cities, 3 towns, 2 villages, 1 quarters and hamlets, 0 what is drawn otherwise; and which of two goes first. */
  places: { layer: string; rank: ExpressionSpecification; first: ExpressionSpecification };
  waterNames: Part[];
  houseNumbers: { part: Part; text: ExpressionSpecification };
}

const among = (value: ExpressionSpecification, words: string[]): FilterSpecification =>
  ['match', value, words, true, false] as unknown as FilterSpecification;
const shape = (type: string): FilterSpecification => ['==', ['geometry-type'], type];
const both = (a: FilterSpecification, b: FilterSpecification): FilterSpecification =>
  ['all', a, b] as FilterSpecification;

const omtClass: ExpressionSpecification = ['get', 'class'];
const omtRoad: ExpressionSpecification = [
  'match',
  omtClass,
  'motorway',
  6,
  ['trunk', 'primary'],
  5,
  ['secondary', 'tertiary'],
  4,
  ['minor', 'busway', 'bus_guideway'],
  3,
  ['service', 'raceway'],
  2,
  ['path', 'track', 'pedestrian'],
  1,
  0,
];

export const openMapTiles: Schema = {
  name: 'openmaptiles',
  land: [],
  built: [
    {
      layer: 'landuse',
      only: among(omtClass, ['residential', 'commercial', 'industrial', 'retail', 'suburb', 'quarter']),
    },
  ],
  green: [
    { layer: 'landcover', only: among(omtClass, ['grass', 'farmland', 'wetland']) },
    { layer: 'landuse', only: among(omtClass, ['cemetery', 'pitch', 'playground', 'stadium', 'zoo']) },
    { layer: 'park' },
  ],
  wood: [{ layer: 'landcover', only: among(omtClass, ['wood', 'forest']) }],
  sand: [{ layer: 'landcover', only: among(omtClass, ['sand', 'rock']) }],
  water: [{ layer: 'water' }],
  streams: [{ layer: 'waterway' }],
  buildings: [{ layer: 'building' }],
  borders: [
    {
      layer: 'boundary',
      only: ['all', ['<=', ['get', 'admin_level'], 4], ['!=', ['get', 'maritime'], 1]],
    },
  ],
  roads: { layer: 'transportation', rank: omtRoad },
  rails: { layer: 'transportation', only: among(omtClass, ['rail', 'transit']) },
  roadNames: { layer: 'transportation_name', rank: omtRoad },
  places: {
    layer: 'place',
    rank: [
      'match',
      omtClass,
      'city',
      4,
      'town',
      3,
      'village',
      2,
      ['suburb', 'quarter', 'neighbourhood', 'hamlet', 'island', 'isolated_dwelling'],
      1,
      0,
    ],
    first: ['coalesce', ['get', 'rank'], 30],
  },
  waterNames: [{ layer: 'water_name' }],
  houseNumbers: { part: { layer: 'housenumber' }, text: ['get', 'housenumber'] },
};

const kind: ExpressionSpecification = ['coalesce', ['get', 'kind'], ['get', 'pmap:kind'], ''];
const detail: ExpressionSpecification = [
  'coalesce',
  ['get', 'kind_detail'],
  ['get', 'pmap:kind_detail'],
  ['get', 'pmap:highway'],
  '',
];
const protomapsRoad: ExpressionSpecification = [
  'match',
  kind,
  'highway',
  6,
  'major_road',
  ['match', detail, ['trunk', 'trunk_link', 'primary', 'primary_link'], 5, 4],
  'medium_road',
  4,
  'minor_road',
  ['match', detail, 'service', 2, 3],
  'path',
  1,
  0,
];
const parks = ['park', 'national_park', 'nature_reserve', 'protected_area', 'cemetery', 'golf_course', 'zoo'];
const lawns = ['grass', 'grassland', 'meadow', 'farmland', 'orchard', 'allotments', 'garden', 'pitch'];

export const protomaps: Schema = {
  name: 'protomaps',
  land: [{ layer: 'earth', only: shape('Polygon') }],
  built: [
    {
      layer: 'landuse',
      only: among(kind, ['residential', 'commercial', 'industrial', 'neighbourhood', 'retail', 'urban_area']),
    },
  ],
  green: [
    { layer: 'landcover', only: among(kind, ['grassland', 'farmland']) },
    {
      layer: 'landuse',
      only: among(kind, [...parks, ...lawns, 'playground', 'recreation_ground', 'village_green']),
    },
  ],
  wood: [
    { layer: 'landcover', only: among(kind, ['forest', 'scrub']) },
    { layer: 'landuse', only: among(kind, ['forest', 'wood', 'scrub']) },
  ],
  sand: [{ layer: 'landuse', only: among(kind, ['beach', 'sand', 'bare_rock']) }],
  water: [{ layer: 'water', only: shape('Polygon') }],
  streams: [{ layer: 'water', only: shape('LineString') }],
  buildings: [{ layer: 'buildings', only: shape('Polygon') }],
  borders: [{ layer: 'boundaries', only: among(kind, ['country', 'region']) }],
  roads: { layer: 'roads', rank: protomapsRoad },
  rails: { layer: 'roads', only: among(kind, ['rail']) },
  roadNames: { layer: 'roads', rank: protomapsRoad },
  places: {
    layer: 'places',
    rank: [
      'match',
      kind,
      'locality',
      ['match', detail, 'city', 4, 'town', 3, 'village', 2, 1],
      ['neighbourhood', 'macrohood'],
      1,
      0,
    ],
    first: ['-', 30, ['coalesce', ['get', 'population_rank'], ['get', 'pmap:population_rank'], 0]],
  },
  waterNames: [{ layer: 'water', only: shape('Point') }],
  houseNumbers: {
    part: { layer: 'buildings', only: both(shape('Point'), ['has', 'addr_housenumber']) },
    text: ['get', 'addr_housenumber'],
  },
};

/** Which of them tiles with such layers are in; null: another. */
export function schemaOf(layers: string[]): Schema | null {
  if (layers.includes('transportation')) return openMapTiles;
  return layers.includes('roads') ? protomaps : null;
}

// How streets look: quiet, in the page's own colours, beneath the data; names above it. What is drawn is the same for every schema.
import type { ExpressionSpecification, FilterSpecification, LayerSpecification } from 'maplibre-gl';
import type { Palette } from './palette';
import type { Part, Schema } from './street_schemas';

export interface StreetLayers {
  ground: LayerSpecification[]; // in the order of drawing
  names: LayerSpecification[];
}

// The first of these names the weight, too: glyphs are drawn by what MapLibre reads in it.
const bold = ['Noto Sans SemiBold', 'system-ui', 'Segoe UI', 'Roboto', 'sans-serif'];
const font = ['system-ui', 'Segoe UI', 'Roboto', 'Noto Sans', 'sans-serif'];

/** `has`: the layers that the tiles have; null: nobody knows, and what they lack is drawn as nothing. */
export function streetLayers(
  source: string,
  schema: Schema,
  p: Palette,
  has: ReadonlySet<string> | null,
): StreetLayers {
  const there = (layer: string): boolean => has === null || has.has(layer);
  const parts = (name: string, all: Part[], make: (part: Part, id: string) => LayerSpecification) =>
    all
      .filter((part) => there(part.layer))
      .map((part, i) => make(part, `${source}-${schema.name}-${name}${i === 0 ? '' : i}`));
  const of = (part: Part): { source: string; 'source-layer': string; filter?: FilterSpecification } => ({
    source,
    'source-layer': part.layer,
    ...(part.only ? { filter: part.only } : {}),
  });

  const fill = (name: string, all: Part[], colour: string, opacity: number | ExpressionSpecification = 1) =>
    parts(name, all, (part, id) => ({
      id,
      type: 'fill',
      ...of(part),
      paint: { 'fill-color': colour, 'fill-opacity': opacity },
    }));
  const line = (
    name: string,
    all: Part[],
    colour: string,
    width: number | ExpressionSpecification,
    more: object = {},
  ) =>
    parts(name, all, (part, id) => ({
      id,
      type: 'line',
      ...of(part),
      layout: { 'line-join': 'round', 'line-cap': 'round' },
      paint: { 'line-color': colour, 'line-width': width, ...more },
    }));

  const { rank } = schema.roads;
  /** A value for each rank: motorways first, paths last. */
  const byRank = <T>(values: [T, T, T, T, T, T]): ExpressionSpecification =>
    [
      'match',
      rank,
      6,
      values[0],
      5,
      values[1],
      4,
      values[2],
      3,
      values[3],
      2,
      values[4],
      values[5],
    ] as ExpressionSpecification;
  const widths = (more: number): ExpressionSpecification => {
    const plus = (w: [number, number, number, number, number, number]): ExpressionSpecification =>
      byRank(w.map((width) => (width === 0 ? 0 : width + more)) as typeof w);
    return [
      'interpolate',
      ['exponential', 1.6],
      ['zoom'],
      5,
      plus([0.6, 0.3, 0, 0, 0, 0]),
      10,
      plus([1.8, 1.4, 0.8, 0.2, 0, 0]),
      13,
      plus([3.6, 3, 2.4, 1.3, 0.6, 0.5]),
      15,
      plus([7, 6.5, 5.6, 4.2, 2, 0.9]),
      18,
      plus([26, 24, 21, 17, 9, 2]),
    ] as ExpressionSpecification;
  };
  const drivable: Part = { layer: schema.roads.layer, only: ['>=', rank, 2] };
  const road = (
    name: string,
    part: Part,
    colour: string | ExpressionSpecification,
    more: number,
    rest: object = {},
  ) =>
    parts(name, [part], (one, id) => ({
      id,
      type: 'line',
      ...of(one),
      minzoom: 5,
      layout: { 'line-join': 'round', 'line-cap': 'round', 'line-sort-key': rank },
      paint: { 'line-color': colour, 'line-width': widths(more), ...rest },
    }));

  const ground: LayerSpecification[] = [
    ...fill('land', schema.land, p.land),
    ...fill('built', schema.built, p.built, ['interpolate', ['linear'], ['zoom'], 8, 0.3, 12, 0.9]),
    ...fill('green', schema.green, p.green, 0.75),
    ...fill('wood', schema.wood, p.wood, 0.75),
    ...fill('sand', schema.sand, p.sand, 0.8),
    ...fill('water', schema.water, p.sea),
    ...line('stream', schema.streams, p.sea, ['interpolate', ['exponential', 1.4], ['zoom'], 9, 0.6, 18, 6]),
    ...parts('building', schema.buildings, (part, id) => ({
      id,
      type: 'fill',
      ...of(part),
      minzoom: 13,
      paint: {
        'fill-color': p.building,
        'fill-outline-color': p.buildingEdge,
        'fill-opacity': ['interpolate', ['linear'], ['zoom'], 13, 0, 14.5, 1],
      },
    })),
    ...line('border', schema.borders, p.border, ['interpolate', ['linear'], ['zoom'], 3, 0.5, 12, 1.4], {
      'line-dasharray': [3, 2],
    }),
    ...parts('path', [{ layer: schema.roads.layer, only: ['==', rank, 1] }], (part, id) => ({
      id,
      type: 'line',
      ...of(part),
      minzoom: 13.5,
      layout: { 'line-join': 'round' },
      paint: { 'line-color': p.path, 'line-width': widths(0), 'line-dasharray': [2.5, 1.5] },
    })),
    ...road('road-edge', drivable, p.roadEdge, 1.6, {
      'line-opacity': ['interpolate', ['linear'], ['zoom'], 11, 0, 12.5, 1],
    }),
    ...road('road', drivable, byRank([p.motorway, p.mainRoad, p.road, p.road, p.road, p.road]), 0),
    ...line('rail', [schema.rails], p.rail, ['interpolate', ['linear'], ['zoom'], 9, 0.6, 16, 2]),
    ...line('sleepers', [schema.rails], p.rail, ['interpolate', ['linear'], ['zoom'], 13, 2, 16, 5], {
      'line-dasharray': [0.3, 2],
      'line-opacity': ['interpolate', ['linear'], ['zoom'], 13, 0, 14, 1],
    }),
  ];

  const halo = { 'text-halo-color': p.halo, 'text-halo-width': 1.5 };
  const name: ExpressionSpecification = [
    'coalesce',
    ['get', 'name'],
    ['get', 'name:latin'],
    ['get', 'name:en'],
    '',
  ];
  const place = schema.places.rank;
  const names: LayerSpecification[] = [
    ...parts('water-name', schema.waterNames, (part, id) => ({
      id,
      type: 'symbol',
      ...of(part),
      minzoom: 12,
      layout: { 'text-field': name, 'text-font': font, 'text-size': 11.5, 'text-max-width': 7 },
      paint: { 'text-color': p.waterName, ...halo },
    })),
    ...parts('house-number', [schema.houseNumbers.part], (part, id) => ({
      id,
      type: 'symbol',
      ...of(part),
      minzoom: 17,
      layout: { 'text-field': schema.houseNumbers.text, 'text-font': font, 'text-size': 10.5 },
      paint: { 'text-color': p.label, ...halo },
    })),
    ...parts(
      'road-name',
      [
        {
          layer: schema.roadNames.layer,
          only: [
            '>=',
            schema.roadNames.rank,
            ['step', ['zoom'], 5, 13, 4, 14, 3, 15.5, 1],
          ] as unknown as FilterSpecification,
        },
      ],
      (part, id) => ({
        id,
        type: 'symbol',
        ...of(part),
        minzoom: 11.5,
        layout: {
          'text-field': name,
          'text-font': font,
          'text-size': ['interpolate', ['linear'], ['zoom'], 12, 10, 16, 12.5, 19, 15],
          'symbol-placement': 'line',
          'symbol-spacing': 300,
          'symbol-sort-key': ['-', schema.roadNames.rank],
          'text-max-angle': 30,
          'text-padding': 4,
        },
        paint: { 'text-color': p.streetName, ...halo },
      }),
    ),
    ...parts(
      'place',
      [
        {
          layer: schema.places.layer,
          only: [
            'all',
            ['>', place, 0],
            ['>=', place, ['step', ['zoom'], 4, 6.5, 3, 9.5, 2, 12, 1]],
          ] as unknown as FilterSpecification,
        },
      ],
      (part, id) => ({
        id,
        type: 'symbol',
        ...of(part),
        minzoom: 4,
        layout: {
          'text-field': name,
          'text-font': bold,
          'text-size': [
            'interpolate',
            ['linear'],
            ['zoom'],
            5,
            ['match', place, 4, 12, 3, 11, 10],
            12,
            ['match', place, 4, 19, 3, 16, 2, 13.5, 12],
            16,
            ['match', place, 4, 22, 3, 19, 2, 16, 13],
          ],
          'text-max-width': 8,
          'text-letter-spacing': ['match', place, 1, 0.08, 0.01],
          'symbol-sort-key': schema.places.first,
        },
        paint: { 'text-color': ['match', place, 1, p.label, p.placeName], ...halo },
      }),
    ),
  ];
  return { ground, names };
}

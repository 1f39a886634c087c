// The map's page: puts the parts together and keeps them in step with the address, the server and the stream.
import {
  ask,
  type Cells,
  type Config,
  type Detection,
  type FoundTally,
  type Inventory,
  isPlaced,
  type Page,
  unreachable,
} from './api';
import { archiveOfNames } from './basemap';
import { classColour } from './class_colours';
import { drawCard } from './card';
import { clear, h } from './dom';
import { Figures } from './figures';
import { count, percent } from './format';
import { type Extent, extentOf, wrapLon } from './extent';
import { Filters } from './filters';
import { maxLevel } from './hexgrid';
import { Latest } from './latest';
import { Legend } from './legend';
import { type Box, MapView } from './map_view';
import { Model, passes, pointsMost } from './model';
import { isDark, makeShell } from './shell';
import { boxOf, type Region } from './region';
import { printReport } from './region_report';
import type { RegionRows } from './region_rows';
import { RegionTool } from './region_tool';
import { SearchBox } from './search_box';
import { soon } from './soon';
import {
  filterQuery,
  filterWords,
  isFiltered,
  type Layer,
  layers,
  noFilter,
  readState,
  type State,
  writeState,
} from './state';
import { Stream } from './stream';
import type { Named } from './street_names';
import { type TimeCounts, Timeline, timeBins } from './timeline';
import { Tip } from './tip';
import { metres } from './tracks';

const state: State = readState(location);
const model = new Model();
let config: Config;
let selected: Detection | null = null;
let nameIndex: { at: { lat: number; lon: number }; names: Named[] } | null = null;
let here: number[] = []; // all that lie where somebody pointed

// ---- the parts

const shell = makeShell((dark) => {
  view.setDark(dark);
  draw();
  timeline.draw();
});
const figures = new Figures();
const filterBox = h('div', { class: 'filters' });
const list = h('ol', { class: 'latest' });
const card = h('section', { class: 'card', 'aria-label': 'Details of one detection' });
card.hidden = true;
const mapBox = h('div', { class: 'map', id: 'map' });
const notice = h('div', { class: 'notice', role: 'alert' });
notice.hidden = true;
const progress = h('div', { class: 'notice quiet', role: 'status' });
progress.hidden = true;
const streetsLost = h(
  'div',
  { class: 'notice quiet', role: 'status' },
  'The streets do not answer now; all else is up to date',
);
streetsLost.hidden = true;
const tip = new Tip(
  (id) => model.points?.get(id),
  () => figures.word(),
);
const exportGeo = h('a', { download: 'detections.geojson' }, 'GeoJSON');
const exportCsv = h('a', { download: 'detections.csv' }, 'CSV');
const downloads = h('span', {}, 'Download what is shown: ');
const nowhere = h('div', { class: 'nowhere', role: 'status' });
nowhere.hidden = true;
const follow = h('input', {
  type: 'checkbox',
  role: 'switch',
  id: 'follow',
  checked: state.follow,
  onchange: () => {
    state.follow = follow.checked;
    remember();
  },
});
const timeline = new Timeline(state.filter.from, state.filter.to, (from, to) => {
  change({ ...state.filter, from, to });
  filters.show(state.filter);
});
const filters = new Filters(filterBox, state.filter, (filter) => {
  change(filter);
  timeline.choose(filter.from, filter.to);
});
const latest = new Latest(
  list,
  (d) => {
    here = [];
    select(d, true);
  },
  () => clearFilters(),
);
const stage = h('main', { class: 'stage' }, h('h1', { class: 'hidden' }, 'Map of detections'), mapBox);
clear(
  document.getElementById('app')!,
  shell.header,
  stage,
  h(
    'aside',
    {
      class: 'side',
      id: 'content',
      tabindex: -1,
      'aria-label': 'Figures, filters and the newest detections',
    },
    figures.root,
    h('details', { class: 'section', open: innerWidth >= 900 }, h('summary', {}, 'Filters'), filterBox),
    h(
      'section',
      { class: 'section', 'aria-label': 'Newest detections' },
      h(
        'div',
        { class: 'section-head' },
        h('h2', {}, 'Newest'),
        h('label', { class: 'switch small' }, follow, h('span', {}, 'Follow live')),
      ),
      list,
    ),
    h(
      'footer',
      { class: 'foot' },
      h('span', {}, downloads, exportGeo, ' ', exportCsv),
      h('a', { href: '/licences.txt' }, 'Licences'),
    ),
  ),
);
document.body.classList.toggle('embed', state.embed);
// The map measures its box: it is in the document by now.
const view = new MapView(mapBox, state.view, isDark(), {
  moved: () => {
    waiting = false;
    state.view = view.view();
    remember();
    void load();
  },
  picked: (ids) => {
    here = ids;
    const [first] = ids;
    select(first === undefined ? null : (model.points?.get(first) ?? latest.find(first) ?? null), false);
  },
  hovered: (touch) => tip.show(touch),
  streets: (there) => {
    streetsLost.hidden = there;
  },
});
const legend = new Legend(view, state.byMechanism, (byMechanism) => {
  state.byMechanism = byMechanism;
  remember();
  draw();
});
stage.append(tip.root, nowhere, legend.root, notice, progress, streetsLost, card, timeline.root);
const report = h('section', { class: 'report', 'aria-hidden': 'true' });
document.body.append(report);
const region = new RegionTool(
  view,
  {
    filter: () => state.filter,
    word: () => figures.word(),
    passes: (d) => passes(d, state.filter),
    pick: (d) => {
      here = [];
      select(d, false);
    },
    changed: (drawn, split) => {
      state.region = drawn;
      state.split = split;
      remember();
    },
    print: (drawn, rows, split) => void print(drawn, rows, split).catch(complain),
  },
  state.region,
  state.split,
);
const layerNames: Record<Layer, string> = {
  counts: 'Counts',
  share: 'Share of pictures',
  heat: 'Heat',
};
const layerChoice = h(
  'select',
  {
    class: 'button',
    'aria-label': 'What the map shows',
    onchange: () => {
      state.layer = layerChoice.value as Layer;
      remember();
      draw();
    },
  },
  ...layers.map((name) => h('option', { value: name, selected: name === state.layer }, layerNames[name])),
);
const search = new SearchBox({
  names: async () => {
    const source = archiveOfNames();
    if (source === null) return null;
    const { namesAround, search: find } = await import('./street_names');
    const at = view.view();
    // Of a town all names are read once; of a larger map those around the view, again where it has gone far.
    if (nameIndex === null || metres(nameIndex.at, at) > 5000) {
      nameIndex = { at, names: await namesAround(source.archive, source.schema, at) };
    }
    const { names } = nameIndex;
    return { names, search: (typed) => find(names, typed, at) };
  },
  go: ({ lat, lon }, zoom) => {
    view.select([lon, lat]);
    view.go({ lat, lon, zoom });
  },
});
const tools = h(
  'div',
  { class: 'tools' },
  search.root,
  layerChoice,
  h(
    'button',
    { class: 'button', title: 'What is in a part of the map', onclick: () => region.begin() },
    'Draw region',
  ),
  h(
    'button',
    {
      class: 'button',
      title: 'Everything that passes the filters',
      onclick: () => void showAll().catch(complain),
    },
    'Show all',
  ),
);
stage.append(tools, region.panel.root);
if (state.embed) {
  const whole = h('a', { class: 'button', target: '_blank', rel: 'noopener' }, 'Open the map');
  whole.addEventListener('click', () => {
    whole.href = writeState({ ...state, embed: false });
  });
  whole.href = writeState({ ...state, embed: false });
  tools.append(whole);
}
const stream = new Stream({
  detection: arrive,
  state: (state) => {
    shell.stream(state);
    // What was asked for in vain is asked for again.
    if (state === 'live' && !notice.hidden && notice.textContent === unreachable) void reload();
  },
  reset: () => {
    model.forget();
    void begin();
  },
  forgotten: () => void reload(),
});

// ---- the address

function change(filter: State['filter']): void {
  state.filter = filter;
  remember();
  void load();
  void region.load();
  void loadLatest().catch(complain);
  void loadTimeline().catch(complain);
  void loadFound().catch(complain);
}

function remember(step = false): void {
  if (step) history.pushState(null, '', writeState(state));
  else history.replaceState(null, '', writeState(state));
  const query = filterQuery(state.filter);
  query.set('box', boxText(view.box(0)));
  query.set('limit', '10000');
  exportGeo.href = `/api/detections?${query}&format=geojson`;
  exportCsv.href = `/api/detections?${query}&format=csv`;
}

const boxText = (box: Box): string =>
  [box.west, box.south, box.east, box.north].map((edge) => edge.toFixed(6)).join(',');

// ---- from the server

let loading: AbortController | null = null;

/** Asks for what the map shows. A newer question makes an older one void. */
async function load(): Promise<void> {
  loading?.abort();
  const mine = new AbortController();
  loading = mine;
  const box = view.box();
  const { zoom } = view.view();
  const most = pointsMost(zoom);
  const query = filterQuery(state.filter);
  query.set('box', boxText(box));
  query.set('level', String(Math.max(0, Math.min(maxLevel, Math.round(zoom)))));
  query.set('points', String(most));
  try {
    const cells = await ask<Cells>('/api/hexagons', query, mine.signal);
    model.take(cells, box, state.filter, most);
    notice.hidden = true;
    draw();
    readOn(cells);
  } catch (error) {
    if (!mine.signal.aborted) complain(error);
  }
}

let reading: ReturnType<typeof setTimeout> | undefined;

/** A large store that was opened a moment ago is counted as far as it has been read: says so, and asks again until all is. */
function readOn({ oldest, counted_id, last_id }: Cells): void {
  const whole = counted_id >= last_id;
  progress.hidden = whole;
  if (whole && reading === undefined) return;
  clearTimeout(reading);
  reading = undefined;
  if (whole) {
    void Promise.all([loadTimeline(), loadFound()]).catch(complain);
    timelineSoon(); // a line that has outgrown its ends is counted anew no sooner than that
    return;
  }
  const share = (counted_id + 1 - oldest) / (last_id + 1 - oldest);
  progress.textContent = `Reading the store: ${percent(share)} counted so far`;
  reading = setTimeout(() => void load(), 400);
}

async function loadLatest(): Promise<Page> {
  const query = filterQuery(state.filter);
  query.set('limit', '60');
  const page = await ask<Page>('/api/detections', query);
  latest.set(page.detections, isFiltered(state.filter));
  return page;
}

async function loadInventory(): Promise<void> {
  const inventory = await ask<Inventory>('/api/inventory');
  figures.take(inventory);
  latest.say(figures.word());
  filters.offer(inventory);
  drawWords();
}

/** The whole time, whichever part of it is chosen. */
async function loadTimeline(): Promise<void> {
  const query = filterQuery({ ...state.filter, from: null, to: null });
  query.set('bins', String(timeBins));
  timeline.show(await ask<TimeCounts>('/api/timeline', query));
}

/** What was found, whichever of it is chosen. */
async function loadFound(): Promise<void> {
  const query = filterQuery({ ...state.filter, found: [], foundLeast: 0 });
  const { found } = await ask<{ found: FoundTally[] }>('/api/found', query);
  classColour.meet(found.map((tally) => tally.label));
  filters.offerFound(found);
}

/** What is shown, asked for anew; the stream goes on. */
async function reload(): Promise<void> {
  const all = [load(), loadLatest(), loadInventory(), loadTimeline(), loadFound(), region.load()];
  await Promise.all(all).catch(complain);
}

async function begin(): Promise<void> {
  try {
    config = await ask<Config>('/api/config');
    document.title = config.title;
    shell.title(config.title);
    region.panel.pictures = config.thumbnails;
    void view.useBasemap(config.basemap).catch(complain);
    remember();
    const page = await loadLatest();
    stream.start(page.epoch, page.last_id);
    await Promise.all([load(), loadInventory(), loadTimeline(), loadFound(), region.load()]);
    if (state.selected !== null && selected === null) await selectById(state.selected);
  } catch (error) {
    complain(error);
    setTimeout(() => void begin(), 3000);
  }
}

let waiting = false; // for the first detection with a place

/** Without a place in the address, the first view shows where the newest detections are. */
async function firstView(): Promise<void> {
  if (state.view) return;
  const query = new URLSearchParams({ limit: '200' });
  const page = await ask<Page>('/api/detections', query).catch(() => null);
  const placed = page?.detections.filter(isPlaced) ?? [];
  const newest = placed[0];
  waiting = newest === undefined;
  if (newest === undefined) return;
  const near = placed.filter((d) => Math.abs(d.lat - newest.lat) < 3 && Math.abs(d.lon - newest.lon) < 3);
  const lons = near.map((d) => d.lon);
  const lats = near.map((d) => d.lat);
  view.fit(Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats));
}

/** The region on paper, with the map around it as it is seen. */
async function print(drawn: Region, rows: RegionRows, split: number | null): Promise<void> {
  const { west, south, east, north } = boxOf(drawn);
  view.fit(west, south, west > east ? east + 360 : east, north);
  await view.still();
  printReport(report, {
    title: config.title,
    region: drawn,
    rows,
    split,
    word: figures.word(),
    filters: filterWords(state.filter),
    picture: await view.picture(),
    credits: view.credits(),
    link: location.href,
  });
}

// ---- from the stream

const drawSoon = soon(200, draw);
const timelineSoon = soon(2000, () => void loadTimeline().catch(complain));
const foundSoon = soon(2000, () => void loadFound().catch(complain));
const inventorySoon = soon(300, () => void loadInventory().catch(complain));

function arrive(d: Detection): void {
  const shows = model.live(d, state.filter);
  // A map that was opened before there was anything goes where it begins.
  if (waiting && isPlaced(d)) {
    waiting = false;
    view.go({ lon: d.lon, lat: d.lat, zoom: 15 });
  }
  const wanted = passes(d, state.filter);
  if (wanted) latest.add(d);
  region.arrive(d);
  if (shows && isPlaced(d)) {
    view.pulse(d.lon, d.lat);
    drawSoon();
  }
  if (state.follow && wanted && isPlaced(d)) {
    view.go({ lon: d.lon, lat: d.lat, zoom: Math.max(view.view().zoom, 14) });
  }
  timelineSoon();
  if (d.boxes) foundSoon();
  if (!figures.arrived(d)) inventorySoon();
  figures.show(model.total);
}

// ---- drawing

function draw(): void {
  const { points } = model;
  const heat = state.layer === 'heat';
  view.drawPoints(points && !heat ? [...points.values()] : [], state.byMechanism);
  view.drawTracks(points && !heat ? model.tracks() : []);
  view.drawHexagons(points || heat ? [] : model.hexagons(), state.layer === 'share' ? 'share' : 'counts');
  view.drawHeat(heat ? model.heat() : [], points ? 34 : 58); // of hexagons the neighbours' centres, too
  drawWords();
  document.documentElement.dataset['shown'] = String(model.total);
  document.dispatchEvent(new Event('fogline-drawn'));
}

function drawWords(): void {
  const most = 10_000;
  downloads.textContent =
    model.total > most ? `Download the newest ${count(most)} of what is shown: ` : 'Download what is shown: ';
  sayNowhere();
  legend.show(state.layer, model.points !== null, model.total, figures.mechanisms(), figures.word());
  figures.show(model.total);
}

/** Why the map is empty, where it is, and what to do about it. */
function sayNowhere(): void {
  const stored = figures.stored();
  const is = model.total === 0 && stored !== null && stored > 0;
  nowhere.hidden = !is;
  if (!is) return;
  const filtered = isFiltered(state.filter);
  clear(
    nowhere,
    filtered ? 'Nothing in view passes the filters.' : `None of the ${count(stored)} pictures is in view.`,
    h('button', { class: 'link', onclick: () => void showAll().catch(complain) }, 'Show all'),
    filtered && h('button', { class: 'link', onclick: clearFilters }, 'Clear them'),
  );
}

/** The map over everything that passes the filters. */
async function showAll(): Promise<void> {
  let extent: Extent | null = null;
  // Coarsely over the world, then finely over what that found.
  for (const level of [4, 11]) {
    const query = filterQuery(state.filter);
    query.set('level', String(level));
    if (extent)
      query.set('box', boxText({ ...extent, west: wrapLon(extent.west), east: wrapLon(extent.east) }));
    const { cells } = await ask<Cells>('/api/hexagons', query);
    extent = extentOf(cells, level);
    if (extent === null) {
      nowhere.hidden = false;
      clear(nowhere, 'No picture that passes the filters has a place.');
      return;
    }
    if (extent.east - extent.west > 8) break;
  }
  if (extent) view.fit(extent.west, extent.south, extent.east, extent.north);
}

function clearFilters(): void {
  change(noFilter());
  filters.show(state.filter);
  timeline.choose(null, null);
}

// ---- one detection

function select(d: Detection | null, go: boolean): void {
  // Back closes what was opened.
  const opens = d !== null && selected === null && document.documentElement.dataset['ready'] === 'true';
  selected = d;
  state.selected = d?.id ?? null;
  remember(opens);
  show(d);
  view.select(d && isPlaced(d) ? [d.lon, d.lat] : null);
  if (d) void refresh(d.id).catch(complain);
  if (d && go && isPlaced(d)) view.go({ lon: d.lon, lat: d.lat, zoom: Math.max(view.view().zoom, 15) });
}

function show(d: Detection | null): void {
  const at = d === null ? -1 : here.indexOf(d.id);
  const turn = (by: number): void => {
    const next = model.points?.get(here[(at + by + here.length) % here.length]!);
    if (!next) return;
    select(next, false);
    card.querySelector<HTMLElement>(`[data-turn="${by}"]`)?.focus();
  };
  drawCard(
    card,
    d,
    config,
    figures.word(),
    close,
    here.length > 1 && at >= 0 ? { at, of: here.length, turn } : null,
  );
}

async function byId(id: number): Promise<Detection | null> {
  const query = new URLSearchParams({ after: String(id - 1), before: String(id + 1), limit: '1' });
  return (await ask<Page>('/api/detections', query)).detections[0] ?? null;
}

/** The time in the network comes to be known after the detection itself: read the card's one again. */
async function refresh(id: number): Promise<void> {
  const fresh = await byId(id);
  if (!fresh || selected?.id !== id || JSON.stringify(fresh) === JSON.stringify(selected)) return;
  selected = fresh;
  const focus = document.activeElement;
  const turn = card.contains(focus) ? (focus as HTMLElement).dataset['turn'] : undefined;
  show(fresh);
  if (turn) card.querySelector<HTMLElement>(`[data-turn="${turn}"]`)?.focus();
}

async function selectById(id: number): Promise<void> {
  const d = await byId(id);
  if (d) select(d, false);
}

function close(): void {
  select(null, false);
  list.querySelector('button')?.focus();
}

function complain(error: unknown): void {
  notice.hidden = false;
  notice.textContent = error instanceof Error ? error.message : String(error);
}

addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  if (selected) select(null, false);
  else if (region.drawing) region.close();
});
addEventListener('popstate', () => location.reload());
export function open(): void {
  void view.whenReady().then(async () => {
    await firstView();
    await begin();
    document.documentElement.dataset['ready'] = 'true';
  });
}

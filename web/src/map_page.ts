// The map's page: puts the parts together and keeps them in step with the address, the server and the stream.
import { ask, type Cells, type Config, type Detection, type Inventory, isPlaced, type Page } from './api';
import { drawCard } from './card';
import { clear, h } from './dom';
import { Filters } from './filters';
import { count, moment, percent, short } from './format';
import { maxLevel } from './hexgrid';
import { Latest } from './latest';
import { type Box, MapView, type Touch } from './map_view';
import { Model, passes, pointsMost } from './model';
import { mechanismColour } from './palette';
import { isDark, makeShell } from './shell';
import { filterQuery, readState, type State, writeState } from './state';
import { Stream } from './stream';
import { timeBins, type TimeCounts, Timeline } from './timeline';

const state: State = readState(location);
const model = new Model();
let config: Config;
let selected: Detection | null = null;
let inventory: Inventory | null = null;

// ---- the frame of the page

const shell = makeShell((dark) => { view.setDark(dark); draw(); timeline.draw(); });
const figures = h('dl', { class: 'figures' });
const filterBox = h('div', { class: 'filters' });
const list = h('ol', { class: 'latest' });
const card = h('section', { class: 'card', 'aria-label': 'Details of one detection' });
card.hidden = true;
const mapBox = h('div', { class: 'map', id: 'map' });
const tip = h('div', { class: 'tip', 'aria-hidden': 'true' });
tip.hidden = true;
const legend = h('div', { class: 'legend' });
const notice = h('div', { class: 'notice', role: 'alert' });
notice.hidden = true;
const exportGeo = h('a', { download: 'detections.geojson' }, 'GeoJSON');
const exportCsv = h('a', { download: 'detections.csv' }, 'CSV');
const follow = h('input', { type: 'checkbox', role: 'switch', id: 'follow', checked: state.follow, onchange: () => {
  state.follow = follow.checked;
  remember();
} });

const byMechanism = h('input', { type: 'checkbox', role: 'switch', checked: state.byMechanism, onchange: () => {
  state.byMechanism = byMechanism.checked;
  remember();
  draw();
} });
const timeline = new Timeline(state.filter.from, state.filter.to, (from, to) => {
  change({ ...state.filter, from, to });
  filters.show(state.filter);
});

clear(document.getElementById('app')!,
  shell.header,
  h('main', { class: 'stage' }, h('h1', { class: 'hidden' }, 'Map of detections'), mapBox, tip, legend, notice, card, timeline.root),
  h('aside', { class: 'side', id: 'content', tabindex: -1, 'aria-label': 'Figures, filters and the newest detections' },
    figures,
    h('details', { class: 'section', open: innerWidth >= 900 },
      h('summary', {}, 'Filters'), filterBox),
    h('section', { class: 'section', 'aria-label': 'Newest detections' },
      h('div', { class: 'section-head' }, h('h2', {}, 'Newest'),
        h('label', { class: 'switch small' }, follow, h('span', {}, 'Follow live'))),
      list),
    h('footer', { class: 'foot' }, h('span', {}, 'Download what is shown: ', exportGeo, ' ', exportCsv),
      h('a', { href: '/licences.txt' }, 'Licences'))));

// ---- the parts

function change(filter: State['filter']): void {
  state.filter = filter;
  remember();
  void load();
  void loadLatest().catch(complain);
  void loadTimeline().catch(complain);
}

const filters = new Filters(filterBox, state.filter, (filter) => {
  change(filter);
  timeline.choose(filter.from, filter.to);
});
const latest = new Latest(list, (d) => select(d, true));
const view = new MapView(mapBox, state.view, isDark(), {
  moved: () => {
    state.view = view.view();
    remember();
    void load();
  },
  picked: (id) => {
    const d = id === null ? null : model.points?.get(id) ?? latest.find(id) ?? null;
    select(d, false);
  },
  hovered: showTip,
});
const stream = new Stream({
  detection: arrive,
  state: shell.stream,
  reset: () => { model.forget(); void begin(); },
  forgotten: () => { void reload(); },
});

function remember(): void {
  history.replaceState(null, '', writeState(state));
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
  const query = filterQuery(state.filter);
  query.set('box', boxText(box));
  query.set('level', String(Math.max(0, Math.min(maxLevel, Math.round(view.view().zoom)))));
  const most = pointsMost(view.view().zoom);
  query.set('points', String(most));
  try {
    const cells = await ask<Cells>('/api/hexagons', query, mine.signal);
    model.take(cells, box, state.filter, most);
    notice.hidden = true;
    draw();
  } catch (error) {
    if (!mine.signal.aborted) complain(error);
  }
}

async function loadLatest(): Promise<Page> {
  const query = filterQuery(state.filter);
  query.set('limit', '60');
  const page = await ask<Page>('/api/detections', query);
  latest.set(page.detections);
  return page;
}

async function loadInventory(): Promise<void> {
  inventory = await ask<Inventory>('/api/inventory');
  liveLitter = 0;
  filters.offer(inventory);
  drawLegend(model.points !== null);
  drawFigures();
}

/** The whole time, whichever part of it is chosen. */
async function loadTimeline(): Promise<void> {
  const query = filterQuery({ ...state.filter, from: null, to: null });
  query.set('bins', String(timeBins));
  timeline.show(await ask<TimeCounts>('/api/timeline', query));
}

/** What is shown, asked for anew; the stream goes on. */
async function reload(): Promise<void> {
  await Promise.all([load(), loadLatest(), loadInventory(), loadTimeline()]).catch(complain);
}

async function begin(): Promise<void> {
  try {
    config = await ask<Config>('/api/config');
    document.title = config.title;
    shell.title(config.title);
    void view.useBasemap(config.basemap).catch(complain);
    const page = await loadLatest();
    stream.start(page.epoch, page.last_id);
    await Promise.all([load(), loadInventory(), loadTimeline()]);
    if (state.selected !== null && selected === null) await selectById(state.selected);
  } catch (error) {
    complain(error);
    setTimeout(() => void begin(), 3000);
  }
}

/** Without a place in the address, the first view shows where the newest detections are. */
async function firstView(): Promise<void> {
  if (state.view) return;
  const page = await ask<Page>('/api/detections', new URLSearchParams({ limit: '200' })).catch(() => null);
  const placed = page?.detections.filter(isPlaced) ?? [];
  if (placed.length === 0) return;
  const newest = placed[0]!;
  const near = placed.filter((d) => Math.abs(d.lat - newest.lat) < 3 && Math.abs(d.lon - newest.lon) < 3);
  view.fit(Math.min(...near.map((d) => d.lon)), Math.min(...near.map((d) => d.lat)),
    Math.max(...near.map((d) => d.lon)), Math.max(...near.map((d) => d.lat)));
}

let drawSoon = false;
let inventorySoon = false;
let timelineSoon = false;
let liveLitter = 0; // since the inventory was read

function arrive(d: Detection): void {
  const shows = model.live(d, state.filter);
  if (passes(d, state.filter)) latest.add(d);
  if (shows && isPlaced(d)) {
    view.pulse(d.lon, d.lat);
    if (!drawSoon) {
      drawSoon = true;
      setTimeout(() => { drawSoon = false; draw(); }, 200);
    }
  }
  if (state.follow && passes(d, state.filter) && isPlaced(d)) {
    view.go({ lon: d.lon, lat: d.lat, zoom: Math.max(view.view().zoom, 14) });
  }
  if (!timelineSoon) {
    timelineSoon = true;
    setTimeout(() => { timelineSoon = false; void loadTimeline().catch(complain); }, 2000);
  }
  if (inventory) {
    inventory.count += 1;
    if (d.positive) liveLitter += 1;
    inventory.last = Math.max(inventory.last, d.captured ?? 0);
    drawFigures();
  }
  const known = inventory?.devices.some((t) => t.name === d.device) && inventory.labels.some((t) => t.name === d.label) &&
    inventory.mechanisms.some((t) => t.name === d.mechanism);
  if (!known && !inventorySoon) {
    inventorySoon = true;
    setTimeout(() => { inventorySoon = false; void loadInventory().catch(complain); }, 300);
  }
}

// ---- drawing

function draw(): void {
  const points = model.points;
  view.drawPoints(points ? [...points.values()] : [], state.byMechanism);
  view.drawTracks(points ? model.tracks() : []);
  view.drawHexagons(points ? [] : model.hexagons());
  drawLegend(points !== null);
  drawFigures();
  document.documentElement.dataset['shown'] = String(model.total);
  document.dispatchEvent(new Event('fogline-drawn'));
}

function drawFigures(): void {
  const figure = (name: string, value: string): HTMLElement =>
    h('div', {}, h('dt', {}, name), h('dd', {}, value));
  const litter = (inventory?.mechanisms.reduce((sum, t) => sum + t.positives, 0) ?? 0) + liveLitter;
  clear(figures,
    figure('In view', short(model.total)),
    figure('Stored', short(inventory?.count ?? 0)),
    figure('Litter', short(litter)),
    figure('Devices', count(inventory?.devices.length ?? 0)));
}

function drawLegend(points: boolean): void {
  legend.hidden = model.total === 0;
  const swatch = (colour: string, text: string): HTMLElement => {
    const box = h('i', { 'aria-hidden': 'true' });
    box.style.background = colour;
    return h('span', {}, box, text);
  };
  const ramp = view.colours();
  const limits = [1, ...view.limits()];
  const toggle = h('label', { class: 'switch small' }, byMechanism, h('span', {}, 'by mechanism'));
  if (!points) {
    clear(legend, h('b', {}, 'Litter in a hexagon'),
      ...limits.map((limit, i) => swatch(ramp[i]!, `${short(limit)}${i === limits.length - 1 ? '+' : ''}`)));
  } else if (state.byMechanism) {
    clear(legend, h('b', {}, 'Mechanism', toggle),
      ...(inventory?.mechanisms ?? []).slice(0, 5).map((t) => swatch(mechanismColour(t.name), t.name)));
  } else {
    clear(legend, h('b', {}, 'Litter, by score', toggle),
      ...['25', '50', '75', '100'].map((p, i) => swatch(ramp[i + 1]!, `≤ ${p} %`)), swatch(view.quiet(), 'none'));
  }
}

function showTip(touch: Touch | null): void {
  tip.hidden = touch === null;
  if (touch === null) return;
  if (touch.kind === 'hex') {
    const { count: n, positives, maxScore, newest } = touch.hex!;
    clear(tip, h('b', {}, `${count(positives)} litter`), ` of ${count(n)} pictures`, h('br'),
      `highest score ${percent(maxScore)}`, h('br'), newest === 0 ? 'time unknown' : moment(newest));
  } else {
    const d = model.points?.get(touch.id!);
    if (!d) { tip.hidden = true; return; }
    clear(tip, h('b', {}, `${d.label === '' ? 'unlabelled' : d.label} ${percent(d.score)}`), h('br'), `${d.device} · ${d.mechanism}`, h('br'), d.captured === undefined ? 'time unknown' : moment(d.captured));
  }
  tip.style.transform = `translate(${touch.x + 14}px, ${touch.y + 14}px)`;
}

function select(d: Detection | null, go: boolean): void {
  selected = d;
  state.selected = d?.id ?? null;
  remember();
  drawCard(card, d, config, close);
  view.select(d && isPlaced(d) ? [d.lon, d.lat] : null);
  if (d) void refresh(d.id).catch(complain);
  if (d && go && isPlaced(d)) view.go({ lon: d.lon, lat: d.lat, zoom: Math.max(view.view().zoom, 15) });
}

async function byId(id: number): Promise<Detection | null> {
  const query = new URLSearchParams({ after: String(id - 1), before: String(id + 1), limit: '1' });
  return (await ask<Page>('/api/detections', query)).detections[0] ?? null;
}

/** The time in the network comes to be known after the detection itself: read the card's one again. */
async function refresh(id: number): Promise<void> {
  const fresh = await byId(id);
  if (fresh && selected?.id === id && JSON.stringify(fresh) !== JSON.stringify(selected)) drawCard(card, fresh, config, close);
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
  if (event.key === 'Escape' && selected) select(null, false);
});
addEventListener('popstate', () => location.reload());
export function open(): void {
  void view.whenReady().then(async () => {
    await firstView();
    await begin();
    document.documentElement.dataset['ready'] = 'true';
  });
}

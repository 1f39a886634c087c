// The page: puts the parts together and keeps them in step with the address, the server and the stream.
import { ask, type Cells, type Config, type Detection, type Inventory, isPlaced, type Page } from './api';
import { drawCard } from './card';
import { clear, h, s } from './dom';
import { Filters } from './filters';
import { count, moment, percent, short } from './format';
import { maxLevel } from './hexgrid';
import { Latest } from './latest';
import { type Box, MapView, type Touch } from './map_view';
import { Model, passes, pointsMost } from './model';
import { filterQuery, readState, type State, writeState } from './state';
import { Stream, type StreamState } from './stream';

const state: State = readState(location);
const model = new Model();
let config: Config;
let selected: Detection | null = null;
let inventory: Inventory | null = null;

// ---- the frame of the page

const systemDark = matchMedia('(prefers-color-scheme: dark)');
const theme = (): string => localStorage.getItem('theme') ?? (systemDark.matches ? 'dark' : 'light');
document.documentElement.dataset['theme'] = theme();

const road = s('svg', { viewBox: '0 0 32 32', class: 'logo', 'aria-hidden': 'true' },
  s('rect', { width: 32, height: 32, rx: 8, class: 'logo-ground' }),
  s('path', { d: 'M12 32 15 0h2l3 32z', class: 'logo-road' }),
  s('path', { d: 'M22 32 18.2 0h1.2L26 32z', class: 'logo-line' }),
  s('circle', { cx: 10.5, cy: 19, r: 3.6, class: 'logo-litter' }));
const title = h('span', { class: 'title' }, 'Fogline');
const themeButton = h('button', { class: 'icon', 'aria-label': 'Switch between light and dark', onclick: switchTheme }, '◐');
const status = h('span', { class: 'status', role: 'status', 'data-state': 'connecting' }, 'connecting');
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

clear(document.getElementById('app')!,
  h('header', { class: 'top' }, h('a', { class: 'brand', href: '/' }, road, title), status, themeButton),
  h('main', { class: 'stage' }, mapBox, tip, legend, notice, card),
  h('aside', { class: 'side', id: 'content', tabindex: -1, 'aria-label': 'Figures, filters and the newest detections' },
    figures,
    h('details', { class: 'section', open: innerWidth >= 900 },
      h('summary', {}, 'Filters'), filterBox),
    h('section', { class: 'section' },
      h('div', { class: 'section-head' }, h('h2', {}, 'Newest'),
        h('label', { class: 'switch small' }, follow, h('span', {}, 'Follow live'))),
      list),
    h('footer', { class: 'foot' }, h('span', {}, 'Download what is shown: ', exportGeo, ' ', exportCsv),
      h('a', { href: '/licences.txt' }, 'Licences'))));

function switchTheme(): void {
  const next = theme() === 'dark' ? 'light' : 'dark';
  localStorage.setItem('theme', next);
  document.documentElement.dataset['theme'] = next;
  view.setDark(next === 'dark');
}

// ---- the parts

const filters = new Filters(filterBox, state.filter, (filter) => {
  state.filter = filter;
  remember();
  void load();
  void loadLatest();
});
const latest = new Latest(list, (d) => select(d, true));
const view = new MapView(mapBox, state.view, theme() === 'dark', {
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
  state: showStream,
  reset: () => { model.forget(); void begin(); },
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
  filters.offer(inventory);
  drawFigures();
}

async function begin(): Promise<void> {
  try {
    config = await ask<Config>('/api/config');
    document.title = config.title;
    title.textContent = config.title;
    const page = await loadLatest();
    stream.start(page.epoch, page.last_id);
    await Promise.all([load(), loadInventory()]);
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
  if (inventory) {
    inventory.count += 1;
    inventory.last = Math.max(inventory.last, d.captured);
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
  view.drawPoints(points ? [...points.values()] : [], false);
  view.drawTracks(points ? model.tracks() : []);
  view.drawHexagons(points ? [] : model.hexagons());
  drawLegend(points !== null);
  drawFigures();
  document.documentElement.dataset['shown'] = String(model.total);
}

function drawFigures(): void {
  const figure = (name: string, value: string): HTMLElement =>
    h('div', {}, h('dt', {}, name), h('dd', {}, value));
  const litter = inventory?.labels.reduce((sum, t) => sum + t.positives, 0) ?? 0;
  clear(figures,
    figure('In view', short(model.total)),
    figure('Stored', short(inventory?.count ?? 0)),
    figure('Litter', short(litter)),
    figure('Devices', count(inventory?.devices.length ?? 0)));
}

function drawLegend(points: boolean): void {
  legend.hidden = model.total === 0;
  const limits = [1, ...view.limits()];
  const swatch = (colour: string, text: string): HTMLElement => {
    const box = h('i', { 'aria-hidden': 'true' });
    box.style.background = colour;
    return h('span', {}, box, text);
  };
  const ramp = view.colours();
  clear(legend, h('b', {}, points ? 'Score of litter' : 'Litter in a hexagon'),
    ...(points ? ['25', '50', '75', '100'].map((p, i) => swatch(ramp[i + 1]!, `≤ ${p} %`))
      : limits.map((limit, i) => swatch(ramp[i]!, `${short(limit)}${i === limits.length - 1 ? '+' : ''}`))));
}

function showStream(now: StreamState): void {
  status.dataset['state'] = now;
  status.textContent = now === 'live' ? 'Live' : now === 'lost' ? 'Reconnecting' : 'Connecting';
}

function showTip(touch: Touch | null): void {
  tip.hidden = touch === null;
  if (touch === null) return;
  if (touch.kind === 'hex') {
    const { count: n, positives, maxScore, newest } = touch.hex!;
    clear(tip, h('b', {}, `${count(positives)} litter`), ` of ${count(n)} pictures`, h('br'),
      `highest score ${percent(maxScore)}`, h('br'), moment(newest));
  } else {
    const d = model.points?.get(touch.id!);
    if (!d) { tip.hidden = true; return; }
    clear(tip, h('b', {}, `${d.label === '' ? 'unlabelled' : d.label} ${percent(d.score)}`), h('br'), `${d.device} · ${d.mechanism}`, h('br'), moment(d.captured));
  }
  tip.style.transform = `translate(${touch.x + 14}px, ${touch.y + 14}px)`;
}

function select(d: Detection | null, go: boolean): void {
  selected = d;
  state.selected = d?.id ?? null;
  remember();
  drawCard(card, d, config, () => { select(null, false); list.querySelector('button')?.focus(); });
  view.select(d && isPlaced(d) ? [d.lon, d.lat] : null);
  if (d && go && isPlaced(d)) view.go({ lon: d.lon, lat: d.lat, zoom: Math.max(view.view().zoom, 15) });
}

async function selectById(id: number): Promise<void> {
  const query = new URLSearchParams({ after: String(id - 1), before: String(id + 1), limit: '1' });
  const page = await ask<Page>('/api/detections', query);
  if (page.detections[0]) select(page.detections[0], false);
}

function complain(error: unknown): void {
  notice.hidden = false;
  notice.textContent = error instanceof Error ? error.message : String(error);
}

addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && selected) select(null, false);
});
addEventListener('popstate', () => location.reload());
systemDark.addEventListener('change', () => {
  if (localStorage.getItem('theme') !== null) return;
  document.documentElement.dataset['theme'] = theme();
  view.setDark(theme() === 'dark');
});

void view.whenReady().then(async () => {
  await firstView();
  await begin();
  document.documentElement.dataset['ready'] = 'true';
});

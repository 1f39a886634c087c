// The fleet: what each device does now, and how long each stage takes.
import { ask, type Config, stages } from './api';
import { clear, h } from './dom';
import { type DeviceCounts, keptWords, sumOfCounts } from './device_counts';
import { arrange, isSortKey, type SortKey, type View } from './fleet/arrange';
import {
  type Device,
  type Health,
  healthOf,
  healthSince,
  healths,
  missing,
  type Patience,
  patiences,
  type Quantiles,
} from './fleet/device';
import { type Column, DeviceTable } from './fleet/device_table';
import { ago, bytes, count, millis, moment, percent } from './format';
import { mechanismTag } from './mechanism_tag';
import { makeShell } from './shell';

interface Prediction {
  device: string;
  edge: string;
  total_ms?: number;
  stages_ms?: Record<string, number>;
  unknown?: string;
}
interface Fleet {
  now: number;
  devices: Device[];
  figures: { name: string; help: string; value: number }[];
  predicted_by: { edge: string; cloud: string; link: string };
  predictions: Prediction[];
}
interface Named {
  name: string;
  title: string;
}
interface Library {
  devices: Named[];
  clouds: Named[];
  links: Named[];
}
interface Mechanism {
  name: string;
  bytes: Quantiles & { n: number };
  total_ms: Quantiles;
  without_waits_ms: Quantiles;
  stages_ms: Record<string, Quantiles>;
}
interface Stats {
  rows: number;
  mechanisms: Mechanism[];
}

const everyMs = 2000;
const heardMs = 60_000;

const shell = makeShell(() => {});
const summary = h('dl', { class: 'figures wide' });
const empty = h('p', { class: 'empty' }, 'No device has sent anything yet.');
const table = new DeviceTable<Device, SortKey>(sortBy);
const mechanisms = h('div', { class: 'mechanisms' });
const notice = h('p', { class: 'inline-notice', role: 'alert' });
notice.hidden = true;

/** The median's stages as one bar, `longest` wide at full width, with the same in words for those who cannot see it. */
function medianBar(times: Record<string, Quantiles>, longest: number): HTMLElement {
  const known = stages.filter((stage) => times[stage.name] !== undefined);
  const total = known.reduce((sum, stage) => sum + times[stage.name]!.p50, 0);
  const said = known.map((stage) => `${stage.title} ${millis(times[stage.name]!.p50)}`).join(', ');
  const bar = h('div', { class: 'bar', role: 'img', 'aria-label': `Median by stage: ${said}`, title: said });
  bar.style.width = `${Math.max(4, (100 * total) / Math.max(longest, 1e-9))}%`;
  for (const stage of known) {
    const part = h('span', { class: `part ${stage.where}` });
    part.style.flexGrow = String(times[stage.name]!.p50 / Math.max(total, 1e-9));
    bar.append(part);
  }
  return bar;
}

const medianTotal = (times: Record<string, Quantiles>): number =>
  stages.reduce((sum, stage) => sum + (times[stage.name]?.p50 ?? 0), 0);

function figure(name: string, value: string): HTMLElement {
  return h('div', {}, h('dt', {}, name), h('dd', {}, value));
}

// ---- which devices, and how they are

/** The address says what is looked at; what it says of machines goes to the server, the rest stays here. */
const asked = new URLSearchParams(location.search);
const view: View = {
  search: asked.get('q') ?? '',
  states: new Set(asked.getAll('state').filter((s): s is Health => healths.some((known) => known === s))),
  sort: 'heard',
  turned: asked.get('turned') === '1',
};
const wantedSort = asked.get('sort') ?? '';
if (isSortKey(wantedSort)) view.sort = wantedSort;
let patience: Patience = patiences[Number(asked.get('patience') ?? 0)] ?? patiences[0]!;
let last: Fleet | undefined;

const search = h('input', {
  type: 'search',
  id: 'find',
  placeholder: 'Find a device',
  'aria-label': 'Find a device by its name or by how it runs',
  value: view.search,
  oninput: () => {
    view.search = search.value;
    redraw();
  },
});
const stateChips = new Map(
  healths.map((health) => [
    health,
    h('button', { type: 'button', class: `chip state ${health}`, onclick: () => toggle(health) }),
  ]),
);
const patiencePick = h(
  'select',
  {
    id: 'patience',
    onchange: () => {
      patience = patiences[patiencePick.selectedIndex]!;
      redraw();
    },
  },
  ...patiences.map((p, i) => h('option', { value: i, selected: p === patience }, p.name)),
);
const nobody = h(
  'p',
  { class: 'empty', hidden: true },
  'No device is like that. ',
  h('button', { type: 'button', onclick: showAll }, 'Show all'),
);
const tools = h(
  'div',
  { class: 'fleet-tools', role: 'search' },
  search,
  h('div', { class: 'chips', role: 'group', 'aria-label': 'State' }, ...stateChips.values()),
  h('label', {}, h('span', {}, 'late and silent after '), patiencePick),
);

function toggle(health: Health): void {
  if (!view.states.delete(health)) view.states.add(health);
  redraw();
}

function showAll(): void {
  view.search = search.value = '';
  view.states.clear();
  redraw();
  search.focus();
}

function sortBy(key: SortKey): void {
  view.turned = view.sort === key && !view.turned;
  view.sort = key;
  redraw();
}

/** After a choice: the address says it, and the last answer is shown by it. */
function redraw(): void {
  const put = (name: string, value: string): void =>
    value === '' ? asked.delete(name) : asked.set(name, value);
  put('q', view.search);
  asked.delete('state');
  for (const health of view.states) asked.append('state', health);
  put('sort', view.sort === 'heard' ? '' : view.sort);
  put('turned', view.turned ? '1' : '');
  put('patience', patience === patiences[0] ? '' : String(patiences.indexOf(patience)));
  keepAddress();
  if (last !== undefined) drawDevices(last);
}

function keepAddress(): void {
  const text = asked.toString();
  history.replaceState(null, '', text ? `/fleet?${text}` : '/fleet');
}

function drawStates(fleet: Fleet): void {
  for (const [health, chip] of stateChips) {
    const n = fleet.devices.filter((d) => healthOf(d, fleet.now, patience) === health).length;
    chip.textContent = `${health} ${count(n)}`;
    chip.ariaPressed = String(view.states.has(health));
  }
}

function stateCell(device: Device, now: number): (Node | string)[] {
  const health = healthOf(device, now, patience);
  const since = healthSince(device, health, patience);
  return [
    h('span', { class: `state ${health}` }, health),
    ...(since === undefined ? [] : [h('span', { class: 'sub' }, `since ${moment(since, now)}`)]),
    ...(health === 'failing' ? [h('span', { class: 'sub' }, keptWords(device.counts).lost)] : []),
  ];
}

// ---- the plan beside the measurements

/** Machines of the library in place of the operator's. */
const picks: Record<'edge' | 'cloud' | 'link', HTMLSelectElement> = {
  edge: h('select', { id: 'by-edge' }),
  cloud: h('select', { id: 'by-cloud' }),
  link: h('select', { id: 'by-link' }),
};
const compare = h(
  'div',
  { class: 'compare' },
  h('span', {}, 'Compare with the plan for'),
  h('label', {}, h('span', { class: 'hidden' }, 'Device to compare with'), picks.edge),
  h(
    'label',
    {},
    h('span', {}, ' and '),
    h('span', { class: 'hidden' }, 'Cloud to compare with'),
    picks.cloud,
  ),
  h('label', {}, h('span', {}, ' over '), h('span', { class: 'hidden' }, 'Link to compare with'), picks.link),
);

function fillPicks(library: Library): void {
  const option = (m: Named): HTMLElement => h('option', { value: m.name }, m.title);
  clear(
    picks.edge,
    h('option', { value: '' }, 'nothing'),
    h('optgroup', { label: 'Devices' }, ...library.devices.map(option)),
    h('optgroup', { label: 'Servers' }, ...library.clouds.map(option)),
  );
  clear(
    picks.cloud,
    h('optgroup', { label: 'Servers' }, ...library.clouds.map(option)),
    h('optgroup', { label: 'Devices' }, ...library.devices.map(option)),
  );
  clear(picks.link, ...library.links.map(option), h('option', { value: 'up=1Gbps' }, 'this machine itself'));
  for (const [name, pick] of Object.entries(picks)) {
    pick.onchange = () => {
      for (const [other, value] of Object.entries(picks)) asked.set(other, value.value);
      if (name === 'edge' && pick.value === '') for (const other of Object.keys(picks)) asked.delete(other);
      keepAddress();
      void show();
    };
  }
}

/** The controls say what the answer was worked out for; what the operator named may be no machine of the library. */
function showPicks(by: Fleet['predicted_by']): void {
  for (const [name, value] of Object.entries(by)) {
    const pick = picks[name as keyof typeof picks];
    if (document.activeElement === pick || pick.options.length === 0) continue;
    if (![...pick.options].some((option) => option.value === value))
      pick.append(h('option', { value }, value));
    pick.value = value;
  }
}

function predictionCell(device: Device, prediction: Prediction | undefined): Node[] {
  if (prediction === undefined) return [document.createTextNode('—')];
  if (prediction.stages_ms === undefined)
    return [document.createTextNode('—'), h('span', { class: 'sub' }, prediction.unknown ?? '')];
  // Like with like: the stages that a plan knows of, without waiting, reading and storing.
  const stagesOf = Object.entries(prediction.stages_ms).filter(
    ([name]) => device.stages_ms[name] !== undefined,
  );
  const predicted = stagesOf.reduce((sum, [, ms]) => sum + ms, 0);
  const measured = stagesOf.reduce((sum, [name]) => sum + device.stages_ms[name]!.p50, 0);
  const said = stagesOf
    .map(([name, ms]) => `${name} ${millis(ms)} predicted, ${millis(device.stages_ms[name]!.p50)} measured`)
    .join('; ');
  return [
    h('span', { title: said }, `${millis(predicted)} → ${millis(measured)}`),
    h('span', { class: 'sub' }, comparedWords(predicted, measured)),
  ];
}

/** A plan is made for a machine of the library: how far off it is says which machine this one is, and is no fault of the device's. */
function comparedWords(predicted: number, measured: number): string {
  if (predicted <= 0 || measured <= 0) return '';
  const slower = measured / predicted;
  if (slower > 0.9 && slower < 1.1) return 'as the plan says';
  const times = slower > 1 ? slower : 1 / slower;
  return `${times.toFixed(1)} × ${slower > 1 ? 'slower' : 'faster'} than the plan's`;
}

/** What waits on a device, and in a second line what it will not get rid of. */
function onDevice(counts: DeviceCounts | undefined): (Node | string)[] {
  const { waits, lost } = keptWords(counts);
  return lost === '' ? [waits] : [waits, h('span', { class: 'sub lost' }, lost)];
}

function drawDevices(fleet: Fleet): void {
  const active = fleet.devices.filter((d) => fleet.now - d.heard < heardMs);
  clear(
    summary,
    figure('Devices heard this minute', `${active.length} of ${fleet.devices.length}`),
    figure('Images', `${active.reduce((sum, d) => sum + d.images_per_second, 0).toFixed(1)} /s`),
    figure('Uplink', `${bytes(Math.round(active.reduce((sum, d) => sum + d.bytes_per_second, 0)))}/s`),
    ...(
      [
        ['waiting', 'Cloud queue'],
        ['refused_total', 'Refused'],
        ['retried_total', 'Asked for again'],
      ] as const
    ).flatMap(([name, title]) => {
      const found = fleet.figures.find((f) => f.name === `fogline_cloud_${name}`);
      return found ? [figure(title, count(found.value))] : [];
    }),
    ...fleet.figures
      .filter((f) => f.name === 'fogline_audit_alarm')
      .map((f) => figure('Promise broken', f.help.slice(f.help.lastIndexOf(': ') + 2))),
    figure('Not arrived', count(fleet.devices.reduce((sum, d) => sum + missing(d), 0))),
    figure('Dead letters', sumOfCounts(fleet.devices, 'dead')),
  );
  empty.hidden = fleet.devices.length > 0;
  table.root.hidden = tools.hidden = fleet.devices.length === 0;
  drawStates(fleet);
  const rows = arrange(fleet.devices, view, fleet.now, patience);
  table.draw(rows, columnsOf(fleet), view.sort, view.turned, (d) => healthOf(d, fleet.now, patience));
  nobody.hidden = rows.length > 0 || fleet.devices.length === 0;
}

function columnsOf(fleet: Fleet): Column<Device, SortKey>[] {
  const longest = Math.max(...fleet.devices.map((d) => medianTotal(d.stages_ms)));
  const predicted: Column<Device, SortKey>[] =
    fleet.predictions.length === 0
      ? []
      : [
          {
            name: 'Plan → measured',
            cell: (d) =>
              predictionCell(
                d,
                fleet.predictions.find((p) => p.device === d.name),
              ),
          },
        ];
  return [
    {
      name: 'Device',
      sort: 'device',
      text: true,
      cell: (d) => [
        h('a', { href: `/?${new URLSearchParams({ device: d.name })}` }, d.name),
        h('span', { class: 'sub' }, `heard ${ago(d.heard, fleet.now)}`),
      ],
    },
    { name: 'State', sort: 'state', cell: (d) => stateCell(d, fleet.now) },
    {
      name: 'Rate',
      sort: 'rate',
      cell: (d) => [
        fleet.now - d.heard >= heardMs
          ? '—'
          : `${d.images_per_second.toFixed(d.images_per_second < 10 ? 2 : 0)} /s`,
      ],
    },
    {
      name: 'Runs as',
      sort: 'way',
      text: true,
      cell: (d) => [
        mechanismTag(d.mechanism),
        h('span', { class: 'sub' }, d.cut === '' ? d.codec : `${d.cut} · ${d.codec}`),
        ...(d.unchanged > 0
          ? [h('span', { class: 'sub' }, `${percent(d.unchanged / d.frames)} unchanged`)]
          : []),
      ],
    },
    {
      name: 'Bytes an image',
      sort: 'bytes',
      cell: (d) => [d.measured.bytes ? bytes(Math.round(d.measured.bytes.p50)) : '—'],
    },
    {
      name: 'Reported',
      sort: 'reported',
      cell: (d) => [percent(d.frames === 0 ? 0 : d.positives / d.frames)],
    },
    {
      name: 'Total p50 / p95',
      sort: 'total',
      cell: (d) => [
        d.measured.total_ms ? `${millis(d.measured.total_ms.p50)} / ${millis(d.measured.total_ms.p95)}` : '—',
      ],
    },
    ...predicted,
    { name: 'Median by stage', cell: (d) => [medianBar(d.stages_ms, longest)] },
    {
      name: 'Not arrived',
      sort: 'missing',
      cell: (d) => [missing(d) === 0 ? 'none' : count(missing(d))],
    },
    { name: 'On the device', sort: 'kept', cell: (d) => onDevice(d.counts) },
  ];
}

function drawMechanisms(stats: Stats): void {
  const names = stages.filter((stage) => stats.mechanisms.some((m) => m.stages_ms[stage.name] !== undefined));
  if (stats.mechanisms.length === 0) {
    clear(mechanisms);
    return;
  }
  const quantiles = (q: Quantiles | undefined): string => (q ? `${millis(q.p50)} / ${millis(q.p95)}` : '—');
  clear(
    mechanisms,
    h('h2', {}, `Stage by stage, p50 / p95 of the newest ${count(stats.rows)} images`),
    h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Stage times by mechanism' },
      h(
        'table',
        { class: 'plain' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, 'Stage'),
            ...stats.mechanisms.map((m) => h('th', { scope: 'col' }, mechanismTag(m.name))),
          ),
        ),
        h(
          'tbody',
          {},
          ...names.map((stage) =>
            h(
              'tr',
              {},
              h(
                'th',
                { scope: 'row' },
                h('span', { class: `dot ${stage.where}`, 'aria-hidden': 'true' }),
                stage.title,
              ),
              ...stats.mechanisms.map((m) => h('td', {}, quantiles(m.stages_ms[stage.name]))),
            ),
          ),
          h(
            'tr',
            { class: 'sum' },
            h('th', { scope: 'row' }, 'Total'),
            ...stats.mechanisms.map((m) => h('td', {}, quantiles(m.total_ms))),
          ),
          h(
            'tr',
            { class: 'sum' },
            h('th', { scope: 'row' }, 'Without waits'),
            ...stats.mechanisms.map((m) => h('td', {}, quantiles(m.without_waits_ms))),
          ),
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, 'Bytes'),
            ...stats.mechanisms.map((m) =>
              h('td', {}, `${bytes(Math.round(m.bytes.p50))} / ${bytes(Math.round(m.bytes.p95))}`),
            ),
          ),
        ),
      ),
    ),
  );
}

function machinesAsked(): URLSearchParams | undefined {
  if (!asked.get('edge')) return undefined;
  return new URLSearchParams([...asked].filter(([name]) => name in picks));
}

async function show(): Promise<void> {
  try {
    const [fleet, stats] = await Promise.all([
      ask<Fleet>('/api/fleet', machinesAsked()),
      ask<Stats>('/api/stats'),
    ]);
    last = fleet;
    drawDevices(fleet);
    drawMechanisms(stats);
    showPicks(fleet.predicted_by);
    shell.stream('live');
    notice.hidden = true;
  } catch (error) {
    shell.stream('lost');
    notice.hidden = false;
    notice.textContent = error instanceof Error ? error.message : String(error);
  }
  document.documentElement.dataset['ready'] = 'true';
}

async function refresh(): Promise<void> {
  await show();
  setTimeout(() => void refresh(), everyMs);
}

export function open(): void {
  document.body.classList.add('document');
  clear(
    document.getElementById('app')!,
    shell.header,
    h(
      'main',
      { class: 'sheet', id: 'content', tabindex: -1 },
      h('h1', {}, 'Fleet'),
      summary,
      notice,
      tools,
      compare,
      empty,
      table.root,
      nobody,
      mechanisms,
    ),
  );
  void ask<Config>('/api/config')
    .then((config) => {
      document.title = `Fleet – ${config.title}`;
      shell.title(config.title);
    })
    .catch(() => {});
  void ask<Library>('/api/machines')
    .then(fillPicks)
    .catch(() => {})
    .finally(() => void refresh());
}

// The fleet: what each device does now, and how long each stage takes.
import { ask, type Config, stages } from './api';
import { clear, h } from './dom';
import { type DeviceCounts, keptWords, sumOfCounts } from './device_counts';
import { ago, bytes, count, millis, percent } from './format';
import { mechanismTag } from './mechanism_tag';
import { makeShell } from './shell';

interface Quantiles {
  p50: number;
  p95: number;
}
interface Device {
  name: string;
  run: string;
  captured: number;
  stored: number;
  heard: number;
  images_per_second: number;
  bytes_per_second: number;
  frames: number;
  positives: number;
  unchanged: number;
  sent: number;
  arrived: number;
  mechanism: string;
  cut: string;
  codec: string;
  model: string;
  label: string;
  counts?: DeviceCounts;
  measured: { bytes?: Quantiles; total_ms?: Quantiles };
  stages_ms: Record<string, Quantiles>;
}
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
const silentMs = 60_000;

const shell = makeShell(() => {});
const summary = h('dl', { class: 'figures wide' });
const devices = h('div', { class: 'devices' });
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

// ---- the plan beside the measurements

/** What the address asks for: machines of the library in place of the operator's. */
const asked = new URLSearchParams(location.search);
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
      const text = asked.toString();
      history.replaceState(null, '', text ? `/fleet?${text}` : '/fleet');
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
  const off = predicted > 0 ? measured / predicted - 1 : 0;
  return [
    h('span', { title: said }, `${millis(predicted)} → ${millis(measured)}`),
    h(
      'span',
      { class: 'sub' },
      Math.abs(off) < 0.005
        ? 'as predicted'
        : off > 1
          ? `${(off + 1).toFixed(1)} × predicted`
          : `${off > 0 ? '+' : '−'}${percent(Math.abs(off))}`,
    ),
  ];
}

/** What waits on a device, and in a second line what it will not get rid of. */
function onDevice(counts: DeviceCounts | undefined): (Node | string)[] {
  const { waits, lost } = keptWords(counts);
  return lost === '' ? [waits] : [waits, h('span', { class: 'sub lost' }, lost)];
}

function drawDevices(fleet: Fleet): void {
  const active = fleet.devices.filter((d) => fleet.now - d.heard < silentMs);
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
    figure('Not arrived', count(fleet.devices.reduce((sum, d) => sum + Math.max(0, d.sent - d.arrived), 0))),
    figure('Dead letters', sumOfCounts(fleet.devices, 'dead')),
  );
  if (fleet.devices.length === 0) {
    clear(devices, h('p', { class: 'empty' }, 'No device has sent anything yet.'));
    return;
  }
  const predicted = fleet.predictions.length > 0;
  const longest = Math.max(...fleet.devices.map((d) => medianTotal(d.stages_ms)));
  const cell = (name: string, ...content: (Node | string)[]): HTMLElement =>
    h('td', { 'data-name': name }, ...content);
  const rows = fleet.devices.map((d) => {
    const silent = fleet.now - d.heard >= silentMs;
    const missing = Math.max(0, d.sent - d.arrived);
    return h(
      'tr',
      { class: silent ? 'silent' : '' },
      h(
        'th',
        { scope: 'row' },
        h('a', { href: `/?${new URLSearchParams({ device: d.name })}` }, d.name),
        h(
          'span',
          { class: 'sub' },
          silent ? `silent, heard ${ago(d.heard, fleet.now)}` : `heard ${ago(d.heard, fleet.now)}`,
        ),
      ),
      cell('Rate', silent ? '—' : `${d.images_per_second.toFixed(d.images_per_second < 10 ? 2 : 0)} /s`),
      cell(
        'Runs as',
        mechanismTag(d.mechanism),
        h('span', { class: 'sub' }, d.cut === '' ? d.codec : `${d.cut} · ${d.codec}`),
        ...(d.unchanged > 0
          ? [h('span', { class: 'sub' }, `${percent(d.unchanged / d.frames)} unchanged`)]
          : []),
      ),
      cell('Bytes an image', d.measured.bytes ? bytes(Math.round(d.measured.bytes.p50)) : '—'),
      cell('Reported', percent(d.frames === 0 ? 0 : d.positives / d.frames)),
      cell(
        'Total p50 / p95',
        d.measured.total_ms ? `${millis(d.measured.total_ms.p50)} / ${millis(d.measured.total_ms.p95)}` : '—',
      ),
      ...(predicted
        ? [
            cell(
              'Plan → measured',
              ...predictionCell(
                d,
                fleet.predictions.find((p) => p.device === d.name),
              ),
            ),
          ]
        : []),
      cell('Median by stage', medianBar(d.stages_ms, longest)),
      cell('Not arrived', missing === 0 ? 'none' : count(missing)),
      cell('On the device', ...onDevice(d.counts)),
    );
  });
  clear(
    devices,
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...[
            'Device',
            'Rate',
            'Runs as',
            'Bytes an image',
            'Reported',
            'Total p50 / p95',
            ...(predicted ? ['Plan → measured'] : []),
            'Median by stage',
            'Not arrived',
            'On the device',
          ].map((name) => h('th', { scope: 'col' }, name)),
        ),
      ),
      h('tbody', {}, ...rows),
    ),
  );
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

async function show(): Promise<void> {
  try {
    const [fleet, stats] = await Promise.all([
      ask<Fleet>('/api/fleet', asked.get('edge') ? asked : undefined),
      ask<Stats>('/api/stats'),
    ]);
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
      compare,
      devices,
      mechanisms,
    ),
  );
  for (const name of [...asked.keys()]) if (!['edge', 'cloud', 'link'].includes(name)) asked.delete(name);
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

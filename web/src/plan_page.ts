// The planner: asks the server for the plan of what the controls say, one question at a time, and draws the answer.
import { ask, type Config } from './api';
import { clear, h } from './dom';
import { bytes as human, count, millis, percent } from './format';
import { mechanismColour } from './palette';
import { type Answer, type Bill, type Candidate, type CutId, isPlan, type Machine, type Machines, mechanismOf, type Network, placeOf, type Plan } from './plan/answer';
import { Controls } from './plan/controls';
import { EnvelopeChart, envelopeWords } from './plan/envelope_chart';
import { LineChart } from './plan/line_chart';
import { commandOf, defaults, type Question, readQuestion, writeQuestion } from './plan/question';
import { euro, figure, mbps } from './plan/scale';
import { ScatterChart } from './plan/scatter_chart';
import { makeShell } from './shell';

const shell = makeShell(() => {});
let question: Question = readQuestion(location.search);
let machines: Machines;
let models: string[] = [];
let network: Network | null = null;
let controls: Controls;
let answer: Answer | null = null;

// ---- the frame of the page

const verdict = h('section', { class: 'verdict', 'aria-label': 'The plan' });
const spoken = h('p', { class: 'hidden', role: 'status' });
const readout = h('div', { class: 'readout' });
const rivals = h('div', { class: 'rivals' });
const moves = h('ol', { class: 'moves' });
const sources = h('div', { class: 'sources' });
const command = h('code', { tabindex: 0 });
const notice = h('p', { class: 'inline-notice', role: 'alert' });
notice.hidden = true;
const footer = h('p', { class: 'proof' });
const bar = h('div', { class: 'verdict-bar', 'aria-hidden': 'true' });
const line = new LineChart((cut) => { looking = cut; drawReadout(); });
const envelope = new EnvelopeChart((up) => {
  question.number.up = up;
  controls.show(question);
  change();
});
const scatter = new ScatterChart();
const against = h('select', { id: 'plan-y', onchange: () => {
  if (against.value === 'cost') delete question.text.y;
  else question.text.y = against.value;
  change();
} }, ...[['cost', 'money'], ['energy', 'energy of the device'], ['bytes', 'bytes sent'], ['agreement', 'verdicts changed']]
  .map(([value, text]) => h('option', { value }, text!)));
const copy = h('button', { class: 'link', onclick: () => {
  void navigator.clipboard?.writeText(command.textContent ?? '').then(() => {
    copy.textContent = 'Copied';
    setTimeout(() => { copy.textContent = 'Copy'; }, 1500);
  }).catch(() => {});
} }, 'Copy');
const legend = h('p', { class: 'stage-legend' },
  ...[['edge', 'device'], ['encode', 'encode'], ['network', 'network'], ['decode', 'decode'], ['cloud', 'cloud']].map(([kind, name]) =>
    h('span', {}, h('i', { class: `swatch s-${kind}`, 'aria-hidden': 'true' }), name!)));
let looking: CutId | null = null;
const measures: Record<string, string> = { cost: '€ a device and month', energy: 'mJ an image', bytes: 'bytes an image', agreement: 'share of verdicts changed' };

// ---- the question

let asking = false;
let again = false;
let written: ReturnType<typeof setTimeout> | undefined;

/** Remembers the question in the address, soon: browsers take offence at addresses that change sixty times a second. */
function remember(): void {
  clearTimeout(written);
  written = setTimeout(() => {
    const text = writeQuestion(question).toString();
    history.replaceState(null, '', text ? `/plan?${text}` : '/plan');
  }, 150);
}

function change(): void {
  remember();
  void refresh();
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });

/** While a question is out, newer ones wait for it; of those only the newest is asked. */
async function refresh(): Promise<void> {
  if (asking) { again = true; return; }
  asking = true;
  try {
    do {
      again = false;
      if (network === null || network.name !== (question.text.model ?? models[0])) await loadNetwork();
      const asked = structuredClone(question);
      const said = await ask<Answer>('/api/plan', writeQuestion(asked));
      answer = said;
      draw(asked);
    } while (again);
    shell.stream('live');
    notice.hidden = true;
  } catch (error) {
    complain(error);
  }
  asking = false;
  if (again) void refresh();
}

/** The server reads a model when it is first asked for. */
async function loadNetwork(): Promise<void> {
  const query = new URLSearchParams();
  if (question.text.model) query.set('model', question.text.model);
  for (let tries = 0; ; tries += 1) {
    try {
      network = await ask<Network>('/api/network', query);
      break;
    } catch (error) {
      if (tries > 150 || !/is being read/.test(String(error))) throw error;
      await pause(100);
    }
  }
  line.setNetwork(network);
}

function complain(error: unknown): void {
  notice.hidden = false;
  notice.textContent = error instanceof Error ? error.message : String(error);
  document.documentElement.dataset['ready'] = 'true';
}

// ---- the answer

/** Parts of the page that wait while they are out of sight: a slider that is dragged pays for what is seen, and the rest
 *  follows when it rests. */
const parts: { root: HTMLElement; seen: boolean; draw: (() => void) | null }[] = [];
const sight = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const part = parts.find((p) => p.root === entry.target);
    if (!part) continue;
    part.seen = entry.isIntersecting;
    if (part.seen) settle(part);
  }
}, { rootMargin: '120px' });
function settle(part: (typeof parts)[number]): void {
  const drawNow = part.draw;
  part.draw = null;
  drawNow?.();
}
function later(root: HTMLElement, drawPart: () => void): void {
  let part = parts.find((p) => p.root === root);
  if (!part) {
    part = { root, seen: true, draw: null };
    parts.push(part);
    sight.observe(root);
  }
  part.draw = drawPart;
  if (part.seen) settle(part);
}
let resting: ReturnType<typeof setTimeout> | undefined;
function settleSoon(asked: Question): void {
  clearTimeout(resting);
  resting = setTimeout(() => {
    parts.forEach(settle);
    document.documentElement.dataset['planned'] = `${writeQuestion(asked)}`;
  }, 120);
}

function draw(asked: Question): void {
  if (answer === null || network === null) return;
  const plan = isPlan(answer) ? answer : null;
  const { candidates } = answer;
  later(line.root, () => line.show(plan, candidates));
  drawVerdict(asked);
  later(readout, drawReadout);
  document.documentElement.classList.toggle('no-plan', plan === null);
  if (plan) {
    const up = asked.number.up ?? defaults(asked, machines).up;
    const net = network;
    later(envelope.root, () => {
      envelope.show(plan, net, up, asked.text.objective === 'throughput');
      drawMoves(plan, up);
    });
    later(scatter.root, () => scatter.show(plan, net, measures[asked.text.y ?? 'cost'] ?? ''));
    later(rivals, () => drawRivals(plan));
    // The server's own sentences: method, scope and uncertainty are said in one place.
    footer.textContent = `${plan.certificate.text} Found in ${plan.plan_ms.toFixed(2)} ms among ${
      count(plan.scatter.length)} ways to send ${count(plan.candidates.length)} cuts.`;
  }
  const words = commandOf(asked, network.name);
  // Each flag stays together with its value where lines are broken.
  later(command, () => clear(command, ...words.split(/ (?=--)/).flatMap((part, i) => [i > 0 ? ' ' : '', h('span', {}, part)])));
  later(sources, () => drawSources(asked));
  settleSoon(asked);
  document.documentElement.dataset['ready'] = 'true';
  document.dispatchEvent(new Event('fogline-planned'));
}

const agreement = (c: Candidate): string => (c.agreement === null ? 'fidelity not known' : `agrees ${(c.agreement * 100).toFixed(1).replace(/\.0$/, '')} %`);
const payload = (c: Candidate): string => (c.bytes === 0 ? 'nothing' : c.codec === 'verdict' ? `the verdict, ${human(c.bytes)}` :
  `${c.codec}, ${c.bytes_estimated ? '~' : ''}${human(Math.round(c.bytes))}`);

function tag(mechanism: string, words: string): HTMLElement {
  const dot = h('i', { class: 'dot', 'aria-hidden': 'true' });
  dot.style.background = mechanismColour(mechanism);
  return h('span', { class: 'tag' }, dot, words);
}

function drawVerdict(asked: Question): void {
  if (answer === null || network === null) return;
  if (!isPlan(answer)) {
    clear(verdict, h('p', { class: 'eyebrow' }, 'No line keeps to these limits'),
      h('p', { class: 'headline' }, `${limitName(answer.conflict.limit)} is out of reach`),
      h('p', { class: 'why' }, `The limit ${answer.conflict.limit} ${answer.conflict.message}.`));
    clear(bar, 'No line keeps to these limits');
    speak('No line keeps to these limits');
    return;
  }
  const plan = answer;
  const best = plan.best;
  const mechanism = mechanismOf(best.cut, network);
  const headline = mechanism === 'edge-only' ? 'Run it all on the device' : mechanism === 'cloud-only' ? 'Run it all in the cloud' : best.alias !== null ? `Cut at ${best.alias}` : typeof best.cut === 'number' ? `Cut ${best.cut}, after ${best.name}` : `Cut after ${best.cut}`;
  const sends = best.bytes === 0 ? 'Nothing is sent' : best.codec === 'verdict' ? 'Sends the verdict alone' :
    `Sends ${mechanism === 'cloud-only' ? 'the picture' : 'the tensor'} as ${payload(best)}`;
  const fleet = plan.fleet;
  const behind = best.period_ms > 1000 / (asked.number.rate ?? 1);
  const figureOf = (name: string, value: string, sub: string): HTMLElement =>
    h('div', {}, h('dt', {}, name), h('dd', {}, value, h('span', { class: 'sub' }, sub)));
  clear(verdict,
    h('div', { class: 'verdict-head' },
      h('p', { class: 'eyebrow' }, tag(mechanism, mechanism), ` best for ${objectiveWords(asked)}`),
      h('p', { class: 'headline' }, headline),
      h('p', { class: 'why' }, `${sends}${best.agreement !== null && best.codec !== 'verdict' ? `, ${agreement(best)} with the whole network` : ''}. ${moveSentence(plan, asked)}`),
      plan.uncertainty.text === '' ? null : h('p', { class: 'why ties' }, plan.uncertainty.text),
      ...plan.notes.map((note) => h('p', { class: 'why note' }, note)),
      behind ? h('p', { class: 'warn' }, `It cannot keep up: at most ${figure(1000 / best.period_ms)} images a second.`) : null),
    h('dl', { class: 'figures' },
      figureOf('Latency', millis(best.latency_ms.total), best.latency_p95_ms > best.latency_ms.total * 1.001 ? `${millis(best.latency_p95_ms)} at p95` : 'an image'),
      figureOf('Money', euro(best.cost_per_device_month), 'a device and month'),
      figureOf(`Fleet of ${count(fleet.devices)}`, fleet.plan.euro_month === null ? '—' : euro(fleet.plan.euro_month), `a month, ${instances(fleet.plan)}`),
      figureOf('Energy', best.energy_mj >= 1000 ? `${figure(best.energy_mj / 1000)} J` : `${figure(best.energy_mj)} mJ`, 'of the device, an image')));
  speak(`${headline}, ${millis(best.latency_ms.total)}, ${euro(best.cost_per_device_month)} a device and month`);
  clear(bar, tag(mechanism, placeOf(best, network)), h('b', {}, millis(best.latency_ms.total)), h('span', {}, euro(best.cost_per_device_month)));
}

let saying: ReturnType<typeof setTimeout> | undefined;
/** To those who hear the page, once the sliders rest. */
function speak(words: string): void {
  clearTimeout(saying);
  saying = setTimeout(() => { if (spoken.textContent !== words) spoken.textContent = words; }, 600);
}

const limitNames: Record<string, string> = {
  '--max-latency': 'That latency', '--max-latency-p95': 'That 95th percentile', '--min-agreement': 'That agreement', '--min-accuracy': 'That accuracy', '--min-metric': 'That metric',
  '--max-cost': 'That cost', '--max-memory': 'That memory', '--max-data': 'That little data', '--never-send-input': 'Keeping the picture', '--codec': 'That codec',
};
const limitName = (flag: string): string => limitNames[flag] ?? 'All of this at once';

const instances = (bill: Bill): string => (bill.instances === 0 ? 'no instance' : `${count(bill.instances)} instance${bill.instances === 1 ? '' : 's'}`);

function objectiveWords(asked: Question): string {
  const objective = asked.text.objective ?? 'latency';
  return objective.includes('=') ? 'latency and money together' : ({ cost: 'money', throughput: 'images a second' } as Record<string, string>)[objective] ?? objective;
}

/** "The line moves at 3.1 Mbit/s": the nearest break of the envelope on either side. */
function moveSentence(plan: Plan, asked: Question): string {
  const up = asked.number.up ?? defaults(asked, machines).up;
  const here = plan.envelope.findIndex((step) => up >= step.from_mbps && up <= step.to_mbps);
  // Another codec at the same place does not move the line.
  const elsewhere = (step: Plan['envelope'][number]): boolean => step.cut !== plan.envelope[here]?.cut;
  const below = plan.envelope.slice(0, Math.max(0, here)).reverse().find(elsewhere);
  const above = plan.envelope.slice(here + 1).find(elsewhere);
  if (here < 0 || (!below && !above)) {
    return plan.nothing_below_mbps === null ? 'No uplink moves the line.' : `Below ${mbps(plan.nothing_below_mbps)} nothing keeps to the limits.`;
  }
  const words = [below ? `below ${mbps(below.to_mbps)} to ${placeOf(below, network!)}` : '', above ? `above ${mbps(above.from_mbps)} to ${placeOf(above, network!)}` : '']
    .filter((part) => part !== '');
  // Where it moves is said of the cheapest plan; one that was taken from a tie may stay a little longer.
  const whose = plan.strict || plan.ties.length === 0 ? 'The line' : 'The cheapest line';
  return `${whose} moves ${words.join(', ')}.`;
}

function drawReadout(): void {
  if (answer === null || network === null) return;
  const c = looking === null ? (isPlan(answer) ? answer.best : answer.candidates[0]) : answer.candidates.find((other) => other.cut === looking);
  if (!c) return;
  const l = c.latency_ms;
  const best = isPlan(answer) ? answer.best : null;
  const place = typeof c.cut === 'number' ? network.cuts[c.cut] : undefined;
  const gap = best && c !== best && c.cut !== best.cut ? `${l.total >= best.latency_ms.total ? '+' : '−'}${millis(Math.abs(l.total - best.latency_ms.total))}` : '';
  clear(readout,
    h('b', {}, placeOf(c, network)), h('span', { class: 'soft tensors', title: c.name }, c.name),
    h('span', {}, payload(c), place && c.codec !== 'verdict' ? h('span', { class: 'soft' }, ` of ${human(place.bytes)}`) : ''),
    h('span', { class: 'soft' }, agreement(c)),
    h('span', {}, `${millis(l.total)} `, gap ? h('span', { class: 'soft' }, gap) : '', h('span', { class: 'soft' },
      ` = device ${millis(l.edge + l.encode)} + network ${millis(l.uplink + l.downlink)} + cloud ${millis(l.decode + l.cloud)}`)),
    h('span', {}, `${euro(c.cost_per_device_month)} a month`),
    c.violates.length > 0 ? h('span', { class: 'warn' }, `ruled out by ${c.violates.map((v) => v.replace(/^--/, '').replaceAll('-', ' ')).join(', ')}`) : null,
    c.runnable ? null : h('span', { class: 'warn' }, `not run yet: ${c.not_runnable ?? ''}`));
}

function drawMoves(plan: Plan, up: number): void {
  if (network === null) return;
  const gap = plan.nothing_below_mbps === null ? null
    : h('li', { class: 'gap' }, h('span', { class: 'range' }, `below ${mbps(plan.nothing_below_mbps)}`), h('span', { class: 'soft' }, 'nothing keeps to the limits'));
  clear(moves, gap, ...envelopeWords(plan, network).map((step) => {
    const now = up >= step.from && up <= step.to;
    return h('li', { class: now ? 'now' : '', 'aria-current': now ? 'true' : undefined },
      h('span', { class: 'range' }, step.range), tag(step.mechanism, step.what), h('span', { class: 'soft' }, step.codec === 'verdict' ? '' : step.codec));
  }));
}

/** Parts of a sum as one bar; `most` fills it. */
function stack(values: [string, number][], most: number, said: string): HTMLElement {
  const total = values.reduce((sum, [, value]) => sum + value, 0);
  const over = total > most;
  const element = h('div', { class: `bar${over ? ' cut-off' : ''}`, role: 'img', 'aria-label': said, title: said });
  element.style.width = `${Math.max(1.5, Math.min(100, (100 * total) / Math.max(most, 1e-12)))}%`;
  for (const [kind, value] of values) {
    if (value <= 0) continue;
    const part = h('span', { class: `part s-${kind}` });
    part.style.flexGrow = String(value / Math.max(total, 1e-12));
    element.append(part);
  }
  return element;
}

function drawRivals(plan: Plan): void {
  if (network === null) return;
  const rows: { title: string; c: Candidate; bill: Bill | undefined; own: boolean }[] = [
    { title: 'This plan', c: plan.best, bill: plan.fleet.plan, own: true },
    ...plan.rivals.map((r) => ({ title: r.title, c: r, bill: plan.fleet.rivals.find((b) => b.key === r.key), own: false })),
  ];
  const same = (c: Candidate): boolean => c.cut === plan.best.cut && c.codec === plan.best.codec;
  const longest = Math.min(Math.max(...rows.map((r) => r.c.latency_ms.total)), 4 * Math.max(plan.best.latency_ms.total, ...rows.slice(1, 3).map((r) => r.c.latency_ms.total)));
  const dearest = Math.min(Math.max(...rows.map((r) => r.c.cost_per_device_month)), 4 * Math.max(...rows.slice(0, 3).map((r) => r.c.cost_per_device_month)));
  const cell = (name: string, ...content: (Node | string | null)[]): HTMLElement => h('td', { 'data-name': name }, ...content);
  const times = (mine: number, best: number): string => (best <= 0 || Math.abs(mine / best - 1) < 0.005 ? '' : mine / best >= 1.995 ? `${figure(mine / best)} ×` : `${mine > best ? '+' : '−'}${percent(Math.abs(mine / best - 1))}`);
  clear(rivals, h('table', {},
    h('thead', {}, h('tr', {}, ...['What', 'Line', 'Latency', 'device · network · cloud', 'A device and month', 'device · energy · data · cloud', `Fleet of ${count(plan.fleet.devices)}`]
      .map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, ...rows.map(({ title, c, bill, own }) => {
      const l = c.latency_ms;
      const b = bill?.device_month;
      const cloud = b ? Math.max(0, c.cost_per_device_month - b.hardware - b.energy - b.data) : 0; // a share of instances, not whole ones
      return h('tr', { class: `${own ? 'own' : ''}${c.violates.length > 0 ? ' silent' : ''}` },
        h('th', { scope: 'row' }, title,
          c.violates.length > 0 ? h('span', { class: 'sub' }, `ruled out by ${c.violates.map((v) => v.replace(/^--/, '').replaceAll('-', ' ')).join(', ')}`)
            : !c.runnable ? h('span', { class: 'sub' }, `not run yet: ${c.not_runnable ?? ''}`)
            : !own && same(c) ? h('span', { class: 'sub' }, 'is this plan') : null),
        cell('Line', tag(mechanismOf(c.cut, network!), placeOf(c, network!)), h('span', { class: 'sub' }, payload(c)), c.agreement === null || c.agreement === 1 ? null : h('span', { class: 'sub' }, agreement(c))),
        cell('Latency', millis(l.total), h('span', { class: 'sub' }, times(l.total, plan.best.latency_ms.total))),
        cell('device · network · cloud', stack([['edge', l.edge], ['encode', l.encode], ['network', l.uplink + l.downlink], ['decode', l.decode], ['cloud', l.cloud]], longest,
          `device ${millis(l.edge + l.encode)}, network ${millis(l.uplink + l.downlink)}, cloud ${millis(l.decode + l.cloud)}`)),
        cell('A device and month', euro(c.cost_per_device_month), h('span', { class: 'sub' }, times(c.cost_per_device_month, plan.best.cost_per_device_month))),
        cell('device · energy · data · cloud', b ? stack([['hardware', b.hardware], ['energy', b.energy], ['data', b.data], ['cloud', cloud]], dearest,
          `device ${euro(b.hardware)}, energy ${euro(b.energy)}, data ${euro(b.data)}, cloud ${euro(cloud)}`) : ''),
        cell(`Fleet of ${count(plan.fleet.devices)}`, bill?.euro_month == null ? '—' : euro(bill.euro_month), h('span', { class: 'sub' }, bill ? instances(bill) : '')));
    }))));
}

function drawSources(asked: Question): void {
  const all = [...machines.devices, ...machines.clouds];
  const find = (name: string): Machine | undefined => all.find((m) => m.name === name);
  const edge = find(asked.text.edge ?? 'jetson-nano');
  const cloud = find(asked.text.cloud ?? 't2.micro');
  const link = machines.links.find((l) => l.name === (asked.text.link ?? '4g'));
  const speed = (m: Machine | undefined): string => (m?.left_out_error === undefined ? '' : `, off by ${percent(m.left_out_error)} in the median for a network it never saw`);
  const rows: [string, string, string][] = [];
  if (edge) rows.push(['Device', `${edge.title}; ${edge.engine}${speed(edge)}`, edge.source]);
  if (edge?.power) rows.push(['Power', `${edge.power.idle_w} W idle, ${edge.power.busy_w} W busy`, edge.power.source]);
  if (edge?.price) rows.push(['Price', `${edge.price.euro} € over ${asked.number.lifetime ?? 12} months`, edge.price.source]);
  if (cloud) rows.push(['Cloud', `${cloud.title}; ${cloud.engine}${speed(cloud)}`, cloud.source]);
  if (cloud?.rent) rows.push(['Rent', `${cloud.rent.euro_per_hour} € an hour, ${cloud.rent.vcpus} vCPU`, cloud.rent.source]);
  if (link) rows.push(['Link', `${link.title}: ${mbps(link.up_mbps)} up, ${mbps(link.down_mbps)} down, ${link.rtt_ms} ms, ${figure(link.loss * 100)} % lost, ${link.euro_per_gb} € a GB`, link.source]);
  if (network) {
    rows.push(['Network', `${network.name}: ${count(network.layers.length)} layers, ${human(network.weight_bytes)} of weights, ${figure(network.madds / 1e6)} M MAdds. ${network.description}`,
      network.calibrated_images === null ? 'not calibrated: exact codecs and estimated JPEG only (fogline calibrate finds smaller ones)' : `codecs calibrated on ${count(network.calibrated_images)} pictures`]);
  }
  const text = JSON.stringify(rows);
  if (sources.dataset['said'] === text) return;
  sources.dataset['said'] = text;
  clear(sources, h('table', { class: 'plain-text' }, h('tbody', {}, ...rows.map(([what, value, source]) =>
    h('tr', {}, h('th', { scope: 'row' }, what), h('td', {}, value, h('span', { class: 'sub' }, source)))))));
}

// ---- the beginning

function stylesheet(): Promise<void> {
  return new Promise((resolve) => {
    const link = h('link', { rel: 'stylesheet', href: '/plan.css', onload: () => resolve(), onerror: () => resolve() });
    document.head.append(link);
  });
}

async function begin(): Promise<void> {
  const [config, stock, library] = await Promise.all([ask<Config>('/api/config'), ask<{ models: { name: string }[] }>('/api/models'),
    ask<Machines>('/api/machines'), stylesheet()]);
  document.title = `Planner – ${config.title}`;
  shell.title(config.title);
  models = stock.models.map((m) => m.name);
  machines = library;
  const root = document.getElementById('app')!;
  if (models.length === 0) {
    clear(root, shell.header, h('main', { class: 'sheet', id: 'content', tabindex: -1 }, h('h1', {}, 'Planner'),
      h('p', { class: 'empty' }, 'This server has no models to plan for. Start it with --models and a folder of ONNX files.')));
    shell.stream('live');
    document.documentElement.dataset['ready'] = 'true';
    return;
  }
  against.value = question.text.y ?? 'cost';
  controls = new Controls(question, { models, machines }, (changed) => { question = changed; change(); });
  const reset = h('button', { class: 'link', onclick: () => {
    question = { text: { ...question.text.model ? { model: question.text.model } : {} }, number: {}, flag: {} };
    against.value = 'cost';
    controls.show(question);
    change();
  } }, 'Start over');
  clear(root, shell.header, h('main', { class: 'sheet plan', id: 'content', tabindex: -1 },
    h('h1', { class: 'hidden' }, 'Planner'),
    h('aside', { class: 'plan-side', 'aria-label': 'What to plan for' }, controls.root, h('p', { class: 'side-foot' }, reset)),
    h('div', { class: 'plan-main' }, spoken, notice, verdict,
      h('section', { class: 'panel', 'aria-labelledby': 'the-line' },
        h('div', { class: 'panel-head' }, h('h2', { id: 'the-line' }, 'The line through the network'), legend),
        line.root, readout, footer),
      h('div', { class: 'pair needs-plan' },
        h('section', { class: 'panel', 'aria-labelledby': 'moves' },
          h('div', { class: 'panel-head' }, h('h2', { id: 'moves' }, 'Where the line moves')), envelope.root, moves),
        h('section', { class: 'panel', 'aria-labelledby': 'both' },
          h('div', { class: 'panel-head' }, h('h2', { id: 'both' }, 'Two wishes at once'),
            h('label', { class: 'against' }, h('span', {}, 'latency against '), against)), scatter.root,
          h('p', { class: 'soft small' }, 'Each dot is a cut with a codec; no other beats those on the line in both. Lower left is better.'))),
      h('section', { class: 'panel needs-plan', 'aria-labelledby': 'rivals' },
        h('div', { class: 'panel-head' }, h('h2', { id: 'rivals' }, 'What the others would cost')), rivals),
      h('section', { class: 'panel', 'aria-labelledby': 'same' },
        h('div', { class: 'panel-head' }, h('h2', { id: 'same' }, 'The same on the command line'), copy), h('pre', { class: 'command' }, command)),
      h('details', { class: 'panel' }, h('summary', {}, h('h2', {}, 'Where the figures come from')), sources)), bar));
  await refresh();
}

addEventListener('popstate', () => location.reload());
export function open(): void {
  document.body.classList.add('document');
  void begin().catch((error: unknown) => {
    clear(document.getElementById('app')!, shell.header, h('main', { class: 'sheet', id: 'content', tabindex: -1 }, h('h1', {}, 'Planner'), notice));
    complain(error);
  });
}

// The planner's page: asks the server for the plan of what the controls say, and hands the answer to its parts.
import { ask, type Config, unreachable } from './api';
import { clear, h } from './dom';
import { count } from './format';
import type { CutPlace } from './network/topology';
import { type Answer, type CutId, isPlan, type Machines, type Network, type Plan } from './plan/answer';
import { Asking } from './plan/asking';
import { cutCells, envelopeCells, rivalCells, scatterCells } from './plan/cells';
import { Choice } from './plan/choice';
import { ChoiceBar } from './plan/choice_bar';
import type { Planned } from './plan/compare';
import { ComparePanel } from './plan/compare_panel';
import { copyButton, showCommand } from './plan/copy';
import { Controls } from './plan/controls';
import { CutTable } from './plan/cut_table';
import { type Cells, exportButtons } from './plan/export';
import { EnvelopeChart } from './plan/envelope_chart';
import { LineChart } from './plan/line_chart';
import { glossary } from './plan/glossary';
import { GraphBox } from './plan/graph_box';
import { Moves } from './plan/moves';
import { Parts } from './plan/parts';
import { commandOf, defaults, type Question, readQuestion, writeQuestion } from './plan/question';
import { Readout } from './plan/readout';
import { Rivals } from './plan/rivals';
import { RunPanel } from './plan/run_panel';
import { ScatterChart } from './plan/scatter_chart';
import { Sources } from './plan/sources';
import { TiesChart } from './plan/ties_chart';
import { Verdict } from './plan/verdict';
import { makeShell } from './shell';

const shell = makeShell(() => {});
let question: Question = readQuestion(location.search);
let machines: Machines;
let models: string[] = [];
let controls: Controls;
let answer: Answer | null = null;

// ---- the parts of the page

const parts = new Parts();
const verdict = new Verdict();
const readout = new Readout();
const moves = new Moves();
const rivals = new Rivals();
const sources = new Sources();
const chooseById = (cut: CutId): void =>
  choose(asking.network?.cuts.find((place) => place.index === cut) ?? null);
const scatter = new ScatterChart(chooseById);
const line = new LineChart({ look, choose: chooseById });
const choice = new Choice(new URLSearchParams(location.search).get('cut'));
const choiceBar = new ChoiceBar(() => choose(null));
const table = new CutTable(choose);
const run = new RunPanel();
const ties = new TiesChart(chooseById);
/** The plan that is kept beside this one. */
let kept: Planned | null = null;
const comparison = new ComparePanel(
  () => machines,
  (a) => {
    kept = a;
    remember();
  },
);
const graph = new GraphBox({ look, choose });
const envelope = new EnvelopeChart((up) => {
  question.number.up = up;
  controls.show(question);
  change();
});
const command = h('code', { tabindex: 0 });
const notice = h('p', { class: 'inline-notice', role: 'alert' });
notice.hidden = true;
const proof = h('p', { class: 'proof' });

/** What a picture costs besides time, in the scatter chart: the question's word, the choice, the axis. */
const measures: [name: string, choice: string, axis: string][] = [
  ['cost', 'money', '€ a device and month'],
  ['energy', 'energy of the device', 'mJ an image'],
  ['bytes', 'bytes sent', 'bytes an image'],
  ['agreement', 'verdicts changed', 'share of verdicts changed'],
];
const against = h(
  'select',
  {
    id: 'plan-y',
    onchange: () => {
      if (against.value === 'cost') delete question.text.y;
      else question.text.y = against.value;
      change();
    },
  },
  ...measures.map(([value, choice]) => h('option', { value }, choice)),
);
const copy = copyButton(() => command.textContent ?? '', 'the command');
const stages: [kind: string, name: string][] = [
  ['edge', 'device'],
  ['encode', 'encode'],
  ['network', 'network'],
  ['decode', 'decode'],
  ['cloud', 'cloud'],
];
const legend = h(
  'p',
  { class: 'stage-legend' },
  ...stages.map(([kind, name]) =>
    h('span', {}, h('i', { class: `swatch s-${kind}`, 'aria-hidden': 'true' }), name),
  ),
);

// ---- the question

let written: ReturnType<typeof setTimeout> | undefined;

/** Remembers the question in the address, soon: browsers take offence at addresses that change sixty times a second. */
function remember(): void {
  clearTimeout(written);
  written = setTimeout(() => {
    const query = writeQuestion(question);
    if (choice.text !== null) query.set('cut', choice.text);
    if (kept) query.set('a', keptText(kept));
    const text = query.toString();
    history.replaceState(null, '', text ? `/plan?${text}` : '/plan');
  }, 150);
}

/** The network that the controls offer the choices of. */
let offered: Network | null = null;

/** A's question with its cut, as it stands in the address. */
function keptText({ question: asked, plan, line }: Planned): string {
  const query = writeQuestion(asked);
  if (line.cut !== plan.best.cut) query.set('cut', line.alias ?? line.name);
  return query.toString();
}

async function readKept(text: string): Promise<void> {
  const asked = readQuestion(text);
  const { answer: said, network } = await asking.plan(asked);
  if (!isPlan(said)) return; // nothing keeps to its limits any more
  const chosen = new Choice(new URLSearchParams(text).get('cut')).candidate(said, network);
  kept = { question: asked, plan: said, network, line: chosen ?? said.best };
  comparison.set(kept);
}

const asking = new Asking(
  () => question,
  () => models[0],
  {
    asked: (network) => {
      if (network === offered) return;
      offered = network;
      controls.setNetwork(network);
    },
    network: (network) => {
      line.setNetwork(network);
      void graph.setNetwork(network).catch(complain);
    },
    answer: (said, asked) => {
      answer = said;
      if (asking.network) draw(said, asking.network, asked);
    },
    rest: () => {
      shell.stream('live');
      notice.hidden = true;
      document.documentElement.classList.remove('stale');
    },
    failed: complain,
  },
);

function change(): void {
  remember();
  void asking.refresh();
}

// ---- the choice of a cut

function look(cut: CutId | null): void {
  readout.looking = cut;
  drawReadout();
}

function choose(cut: CutPlace | null): void {
  const own = answer !== null && isPlan(answer) && cut?.index === answer.best.cut;
  choice.choose(own ? null : cut);
  remember();
  if (answer && asking.network) draw(answer, asking.network, shownQuestion);
}

let again: ReturnType<typeof setTimeout> | undefined;

/** What is shown answers an earlier question, and looks so. A server that is gone is asked again until it is back. */
function complain(error: unknown): void {
  const said = error instanceof Error ? error.message : String(error);
  const gone = said === unreachable;
  notice.hidden = false;
  notice.textContent = gone ? 'The server does not answer: this is an earlier plan. Asking again …' : said;
  document.documentElement.classList.add('stale');
  if (gone) {
    shell.stream('lost');
    clearTimeout(again);
    again = setTimeout(() => void asking.refresh(), 1500);
  }
  document.documentElement.dataset['ready'] = 'true';
}

// ---- the answer

let shownQuestion: Question = question;

function draw(said: Answer, network: Network, asked: Question): void {
  shownQuestion = asked;
  const plan = isPlan(said) ? said : null;
  const chosen = choice.candidate(said, network);
  const up = asked.number.up ?? defaults(asked, machines).up;
  document.documentElement.classList.toggle('no-plan', plan === null);
  parts.draw(line.root, () => line.show(plan, said.candidates));
  verdict.show(said, network, asked, up);
  parts.draw(readout.root, drawReadout);
  choiceBar.show(chosen, plan, network);
  parts.draw(graph.root, () => graph.show(said, choice));
  table.show(said, network, chosen?.cut ?? null);
  if (plan) drawPlan(plan, network, asked, up);
  const runs = chosen ?? plan?.best ?? null;
  if (runs) parts.draw(run.root, () => run.show(runs, network, asked, chosen !== null));
  if (plan && runs) {
    const now: Planned = { question: asked, plan, network, line: runs };
    parts.draw(comparison.root, () => comparison.show(now));
  }
  parts.draw(command, () =>
    showCommand(command, commandOf(asked, asked.text.model ?? models[0] ?? network.name)),
  );
  parts.draw(sources.root, () => sources.show(machines, network, asked));
  parts.settleSoon(() => {
    document.documentElement.dataset['planned'] = `${writeQuestion(asked)}`;
  });
  document.documentElement.dataset['ready'] = 'true';
  document.dispatchEvent(new Event('fogline-planned'));
}

function drawPlan(plan: Plan, network: Network, asked: Question, up: number): void {
  parts.draw(envelope.root, () => {
    envelope.show(plan, network, up, asked.text.objective === 'throughput');
    moves.show(plan, network, up);
  });
  const axis = measures.find(([name]) => name === (asked.text.y ?? 'cost'))?.[2] ?? '';
  const tied = document.getElementById('ties')?.closest('section');
  if (tied) tied.hidden = plan.ties.length === 0;
  parts.draw(ties.root, () => ties.show(plan, network));
  parts.draw(scatter.root, () => scatter.show(plan, network, axis));
  parts.draw(rivals.root, () => rivals.show(plan, network));
  // The server's own sentences: method, scope and uncertainty are said in one place.
  proof.textContent =
    `${plan.certificate.text} Found in ${plan.plan_ms.toFixed(2)} ms among ` +
    `${count(plan.scatter.length)} ways to send ${count(plan.candidates.length)} cuts.`;
}

function drawReadout(): void {
  const { network } = asking;
  if (answer && network) readout.show(answer, network, choice.candidate(answer, network));
}

// ---- the beginning

const stylesheet = (): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => resolve();
    document.head.append(h('link', { rel: 'stylesheet', href: '/plan.css', onload: done, onerror: done }));
  });

type Piece = Node | string;
const panel = (id: string, title: string, beside: Piece[], ...content: Piece[]): HTMLElement =>
  h(
    'section',
    { class: 'panel', 'aria-labelledby': id },
    h('div', { class: 'panel-head' }, h('h2', { id }, title), ...beside),
    ...content,
  );

const chartOf = (root: HTMLElement) => (): SVGElement | null => root.querySelector('svg');
/** Figures of the answer, once there is one. */
const cellsOf = (cells: (plan: Plan) => Cells) => (): Cells =>
  answer && isPlan(answer) ? cells(answer) : [];
const cuts = (): Cells => (answer ? cutCells(answer) : []);

function layOut(reset: HTMLElement): HTMLElement {
  const both =
    'Each dot is a cut with a codec; no other beats those on the line in both. Lower left is better.';
  const others = panel(
    'rivals',
    'What the others would cost',
    [exportButtons('others', 'What the others would cost', null, cellsOf(rivalCells))],
    rivals.root,
  );
  const tied = panel('ties', 'As good, as far as the times are known', [], ties.root);
  tied.classList.add('needs-plan');
  const compared = panel('compare', 'Two plans side by side', [comparison.keep], comparison.root);
  compared.classList.add('needs-plan');
  others.classList.add('needs-plan');
  const runs = panel('run-this', 'Run this', [], run.root);
  runs.classList.add('needs-plan');
  return h(
    'main',
    { class: 'sheet plan', id: 'content', tabindex: -1 },
    h('h1', { class: 'hidden' }, 'Planner'),
    h(
      'aside',
      { class: 'plan-side', 'aria-label': 'What to plan for' },
      controls.root,
      h('p', { class: 'side-foot' }, reset),
    ),
    h(
      'div',
      { class: 'plan-main' },
      verdict.spoken,
      notice,
      verdict.root,
      panel(
        'the-line',
        'The line through the network',
        [exportButtons('network', 'The graph', chartOf(graph.root), cuts)],
        graph.root,
        choiceBar.root,
        readout.root,
        table.root,
        proof,
      ),
      panel(
        'each-cut',
        'Cut by cut',
        [legend, exportButtons('cuts', 'Cut by cut', chartOf(line.root), cuts)],
        line.root,
      ),
      tied,
      h(
        'div',
        { class: 'pair needs-plan' },
        panel(
          'moves',
          'Where the line moves',
          [exportButtons('envelope', 'Where the line moves', chartOf(envelope.root), cellsOf(envelopeCells))],
          envelope.root,
          moves.root,
        ),
        panel(
          'both',
          'Two wishes at once',
          [
            h('label', { class: 'against' }, h('span', {}, 'latency against '), against),
            exportButtons(
              'wishes',
              'Two wishes at once',
              chartOf(scatter.root),
              cellsOf((plan) => scatterCells(plan, against.value)),
            ),
          ],
          scatter.root,
          h('p', { class: 'soft small' }, both),
        ),
      ),
      compared,
      runs,
      others,
      panel(
        'same',
        'The same on the command line',
        [copy],
        h('pre', { class: 'command' }, command),
        h('p', { class: 'soft small' }, 'Where the model lies, with its .bundle beside it.'),
      ),
      h(
        'details',
        { class: 'panel' },
        h('summary', {}, h('h2', {}, 'Where the figures come from')),
        sources.root,
      ),
      h(
        'details',
        { class: 'panel' },
        h('summary', {}, h('h2', {}, 'What the words mean')),
        h(
          'dl',
          { class: 'glossary' },
          ...glossary.flatMap(([term, words]) => [h('dt', {}, term), h('dd', {}, words)]),
        ),
      ),
    ),
    verdict.bar,
  );
}

const sheet = (...content: Piece[]): HTMLElement =>
  h('main', { class: 'sheet', id: 'content', tabindex: -1 }, h('h1', {}, 'Planner'), ...content);

function startOver(): void {
  question = { text: question.text.model ? { model: question.text.model } : {}, number: {}, flag: {} };
  against.value = 'cost';
  choice.choose(null);
  controls.show(question);
  change();
}

async function begin(root: HTMLElement): Promise<void> {
  const [config, stock, library] = await Promise.all([
    ask<Config>('/api/config'),
    ask<{ models: { name: string }[]; profiles: string[] }>('/api/models'),
    ask<Machines>('/api/machines'),
    stylesheet(),
  ]);
  document.title = `Planner – ${config.title}`;
  shell.title(config.title);
  models = stock.models.map((m) => m.name);
  machines = library;
  if (models.length === 0) {
    const words = 'This server has no models to plan for. Start it with --models and a folder of ONNX files.';
    clear(root, shell.header, sheet(h('p', { class: 'empty' }, words)));
    shell.stream('live');
    document.documentElement.dataset['ready'] = 'true';
    return;
  }
  against.value = question.text.y ?? 'cost';
  controls = new Controls(question, { models, machines, profiles: stock.profiles }, (changed) => {
    question = changed;
    change();
  });
  clear(root, shell.header, layOut(h('button', { class: 'link', onclick: startOver }, 'Start over')));
  const a = new URLSearchParams(location.search).get('a');
  await asking.refresh();
  if (a !== null) await readKept(a).catch(complain);
}

addEventListener('popstate', () => location.reload());
export function open(): void {
  document.body.classList.add('document');
  const root = document.getElementById('app')!;
  void begin(root).catch((error: unknown) => {
    clear(root, shell.header, sheet(notice));
    complain(error);
  });
}

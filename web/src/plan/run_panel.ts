// "Run this": the chosen line, or the plan's, as commands and as services.
import { h } from '../dom';
import { type Candidate, type Network, placeOf } from './answer';
import { copyButton, showCommand } from './copy';
import type { Question } from './question';
import { type Places, type RunLines, runLines, somewhere } from './run';
import { notRun } from './words';

const fields: [name: keyof Places, title: string][] = [
  ['device', 'Device’s name'],
  ['source', 'Pictures from'],
  ['broker', 'Broker'],
];

export class RunPanel {
  readonly root = h('div', { class: 'run' });
  private readonly what = h('p', { class: 'soft small' });
  private readonly codes = new Map<keyof RunLines, HTMLElement>();
  private readonly body: HTMLElement;
  private readonly places: Places = { ...somewhere };
  private redraw: () => void = () => {};

  constructor() {
    const block = (name: keyof RunLines, title: string, note: string): HTMLElement => {
      const code = h('code', { tabindex: 0 });
      this.codes.set(name, code);
      return h(
        'div',
        { class: 'run-block' },
        h(
          'div',
          { class: 'run-head' },
          h('h3', {}, title, ' ', h('span', { class: 'soft' }, note)),
          copyButton(() => code.textContent ?? '', title),
        ),
        h('pre', { class: 'command' }, code),
      );
    };
    this.body = h(
      'div',
      {},
      h('div', { class: 'run-fields' }, ...fields.map(([name, title]) => this.field(name, title))),
      block('edge', 'On the device', 'where the model and its .bundle lie'),
      block('cloud', 'In the cloud', 'in the folder of the models'),
      h(
        'details',
        {},
        h('summary', {}, 'As services of systemd, with TLS'),
        block('edgeEnv', '/etc/fogline/edge.env', 'then: systemctl enable --now fogline-edge'),
        block('cloudEnv', '/etc/fogline/cloud.env', 'then: systemctl enable --now fogline-cloud'),
        h(
          'p',
          { class: 'soft small' },
          'The packages install these services; their keys are made by fogline keys (operations.md).',
        ),
      ),
    );
    this.root.append(this.what, this.body);
  }

  private field(name: keyof Places, title: string): HTMLElement {
    const input = h('input', {
      type: 'text',
      value: this.places[name],
      spellcheck: false,
      autocomplete: 'off',
      oninput: () => {
        this.places[name] = input.value.trim() === '' ? somewhere[name] : input.value.trim();
        this.redraw();
      },
    });
    return h('label', {}, h('span', { class: 'caption' }, title), input);
  }

  show(c: Candidate, network: Network, asked: Question, chosen: boolean): void {
    this.redraw = () => {
      this.body.hidden = !c.runnable;
      if (!c.runnable) {
        this.what.textContent = `${placeOf(c, network)}: ${notRun(c)}.`;
        return;
      }
      const rate = asked.number.rate ?? 1;
      this.what.textContent = `${chosen ? 'Your cut' : 'The plan'}, ${placeOf(c, network)}, at ${rate} image${rate === 1 ? '' : 's'} a second.`;
      const lines = runLines(c, network.name, asked, this.places);
      for (const [name, code] of this.codes) {
        if (name.endsWith('Env')) code.textContent = lines[name];
        else showCommand(code, lines[name]);
      }
    };
    this.redraw();
  }
}

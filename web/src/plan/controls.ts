// The planner's controls: what changes the question. Each slider has a field beside it for the exact figure.
import { clear, h } from '../dom';
import type { Machine, Machines, Network } from './answer';
import { defaults, type FlagName, type NumberName, type Question, type TextName } from './question';
import { finderOf } from './finder';
import { fromSlider, type Range, ranges, steps, toSlider } from './ranges';

export interface Choices {
  models: string[];
  /** Measured profiles beside them. */
  profiles: string[];
  machines: Machines;
}

export class Controls {
  readonly root = h('div', { class: 'plan-controls' });
  private readonly sliders: {
    range: Range;
    slider: HTMLInputElement;
    field: HTMLInputElement;
    said: HTMLElement;
  }[] = [];
  private readonly selects: { name: TextName; element: HTMLSelectElement; fallback: string }[] = [];
  private readonly limits: { name: NumberName; element: HTMLInputElement; scale: number }[] = [];
  private readonly switches: { name: FlagName; element: HTMLInputElement }[] = [];
  private readonly objectives: HTMLInputElement[] = [];
  private mixField!: HTMLInputElement;

  private readonly precision: HTMLElement;
  private readonly integers: HTMLSelectElement;
  private readonly exits: HTMLElement;

  constructor(
    private question: Question,
    private readonly choices: Choices,
    private readonly changed: (question: Question) => void,
  ) {
    const { machines, profiles } = choices;
    const measured = profiles.map((name) => h('option', { value: name }, name));
    const own = (): HTMLElement[] =>
      profiles.length === 0
        ? []
        : [h('optgroup', { label: 'Measured here' }, ...measured.map((o) => o.cloneNode(true)))];
    const group = (label: string, list: Machine[]): HTMLElement =>
      h('optgroup', { label }, ...list.map((m) => h('option', { value: m.name }, m.title)));
    this.precision = this.select('integers', 'Precision', [], '', () => {});
    this.integers = this.precision.querySelector('select')!;
    this.exits = this.slider(ranges['max_disagreement']!);
    this.precision.hidden = true;
    this.exits.hidden = true;
    clear(
      this.root,
      h(
        'section',
        { class: 'control-group', 'aria-labelledby': 'what' },
        h('h2', { id: 'what' }, 'What runs where'),
        this.select(
          'model',
          'Network',
          choices.models.map((name) => h('option', { value: name }, name)),
          choices.models[0] ?? '',
          () => {
            delete this.question.text.integers;
            delete this.question.number.max_disagreement;
          },
        ),
        this.precision,
        this.select(
          'edge',
          'Device',
          [...own(), group('Devices', machines.devices), group('Servers', machines.clouds)],
          'jetson-nano',
          () => {
            delete this.question.number.device_price;
          },
        ),
        this.select(
          'cloud',
          'Cloud',
          [...own(), group('Servers', machines.clouds), group('Devices', machines.devices)],
          't2.micro',
          () => {
            delete this.question.number.rent;
          },
        ),
      ),
      h(
        'section',
        { class: 'control-group', 'aria-labelledby': 'between' },
        h('h2', { id: 'between' }, 'The link between'),
        this.select(
          'link',
          'Link',
          machines.links.map((l) => h('option', { value: l.name }, l.title)),
          '4g',
          () => {
            for (const name of ['up', 'down', 'rtt', 'loss', 'data_price'] as const)
              delete this.question.number[name];
          },
        ),
        this.slider(ranges['up']!),
        this.slider(ranges['rtt']!),
      ),
      h(
        'section',
        { class: 'control-group', 'aria-labelledby': 'wish' },
        h('h2', { id: 'wish' }, 'What counts'),
        this.objective(),
        this.exits,
      ),
      h(
        'section',
        { class: 'control-group', 'aria-labelledby': 'load' },
        h('h2', { id: 'load' }, 'The fleet'),
        this.slider(ranges['rate']!),
        this.slider(ranges['devices']!),
      ),
      h(
        'details',
        { class: 'control-group', open: innerWidth >= 900 },
        h('summary', {}, h('h2', {}, 'Prices')),
        ...['data_price', 'rent', 'device_price', 'electricity'].map((name) => this.slider(ranges[name]!)),
        this.flag('ignore_credits', 'Bill burstable instances as if flat out'),
      ),
      h(
        'details',
        { class: 'control-group', open: this.hasLimits() },
        h('summary', {}, h('h2', {}, 'Constraints')),
        h(
          'div',
          { class: 'limits' },
          this.limit('max_latency', 'Latency at most', 'ms'),
          this.limit('max_latency_p95', 'At the 95th percentile', 'ms'),
          this.limit('min_agreement', 'Agreement at least', '%', 100),
          this.limit('min_metric', 'Your own metric at least', '', 1, -1e12),
          this.limit('max_cost', 'Cost at most', '€ a month'),
          this.limit('max_memory', 'Memory of the device', 'MB'),
          this.limit('max_data', 'Data at most', 'GB a month'),
        ),
        this.flag('never_send_input', 'The picture never leaves the device'),
        this.flag('strict', 'The cheapest, even if a tie changes fewer verdicts'),
        this.flag('ideal', 'Also what edge and cloud do not run yet'),
        this.select(
          'deliver',
          'Results are wanted',
          [h('option', { value: 'cloud' }, 'in the cloud'), h('option', { value: 'edge' }, 'on the device')],
          'cloud',
          () => {},
        ),
        this.select(
          'codec',
          'Tensors travel as',
          [
            ['', 'whatever is best'],
            ['f32', 'float32 only'],
            ['f32,f16', 'float32 or float16'],
            ['json', 'JSON, as in the paper'],
          ].map(([value, text]) => h('option', { value }, text!)),
          '',
          () => {},
        ),
        this.slider(ranges['cloud_load']!),
      ),
    );
    this.show(question);
  }

  /** Shows what can be asked of this network alone: its precision, and its early exits. */
  setNetwork({ integers, exits }: Network): void {
    this.precision.hidden = integers.length === 0;
    this.exits.hidden = exits === 0;
    clear(
      this.integers,
      h('option', { value: '' }, 'float'),
      ...integers.map((name) => h('option', { value: name }, `float or ${name}, whichever is better`)),
    );
    this.integers.value = this.question.text.integers ?? '';
  }

  /** Puts every control where the question has it. */
  show(question: Question): void {
    this.question = question;
    const own = defaults(question, this.choices.machines);
    for (const { name, element, fallback } of this.selects) {
      const value = question.text[name] ?? fallback;
      if (![...element.options].some((option) => option.value === value))
        element.append(h('option', { value }, value));
      element.value = value;
    }
    for (const { range, slider, field, said } of this.sliders) {
      const value = question.number[range.name] ?? own[range.name];
      // What is the same is left alone: a drawn slider costs more than all the charts.
      const key = `${value} ${question.number[range.name] !== undefined}`;
      if (said.dataset['key'] === key) continue;
      said.dataset['key'] = key;
      if (document.activeElement !== slider) slider.value = String(toSlider(range, value));
      if (document.activeElement !== field) field.value = String(value);
      const beyond = value > range.high || (value < range.low && !(range.zero && value === 0));
      said.textContent = range.say(value) + (beyond ? ', beyond the slider' : '');
      slider.setAttribute('aria-valuetext', range.say(value));
      said.classList.toggle('changed', question.number[range.name] !== undefined);
    }
    for (const { name, element, scale } of this.limits) {
      const value = question.number[name];
      if (document.activeElement !== element)
        element.value = value === undefined ? '' : String(Number((value * scale).toPrecision(12)));
    }
    for (const { name, element } of this.switches) element.checked = question.flag[name] ?? false;
    const objective = question.text.objective ?? 'latency';
    const mixed = objective.includes('=');
    for (const radio of this.objectives)
      radio.checked = mixed ? radio.value === 'mix' : radio.value === objective;
    this.mixField.parentElement!.hidden = !mixed;
    const weight = /cost=([0-9.]+)/.exec(objective)?.[1];
    if (mixed && weight !== undefined && document.activeElement !== this.mixField)
      this.mixField.value = weight;
  }

  private hasLimits(): boolean {
    return (
      Object.keys(this.question.number).some((name) => name.startsWith('m')) ||
      ['never_send_input', 'strict', 'ideal'].some((name) => this.question.flag[name as FlagName] === true)
    );
  }

  private tell(): void {
    this.show(this.question);
    this.changed(this.question);
  }

  private select(
    name: TextName,
    title: string,
    options: HTMLElement[],
    fallback: string,
    also: () => void,
  ): HTMLElement {
    const element = h(
      'select',
      {
        id: `plan-${name}`,
        onchange: () => {
          if (element.value === fallback) delete this.question.text[name];
          else this.question.text[name] = element.value;
          also();
          this.tell();
        },
      },
      ...options,
    );
    this.selects.push({ name, element, fallback });
    const picked = h('label', { class: 'pick' }, h('span', { class: 'caption' }, title), element);
    if (element.options.length <= 12) return picked;
    return h('div', { class: 'pick-long' }, picked, finderOf(element, `a ${title.toLowerCase()}`));
  }

  private slider(range: Range): HTMLElement {
    const said = h('output', {});
    const set = (value: number): void => {
      if (!Number.isFinite(value) || value < 0) return;
      if (range.name === 'max_disagreement' && value === 0) delete this.question.number[range.name];
      else this.question.number[range.name] = value;
      this.tell();
    };
    const id = `plan-${range.name}`;
    const slider = h('input', {
      id,
      type: 'range',
      min: 0,
      max: steps,
      step: 1,
      oninput: () => set(fromSlider(range, Number(slider.value))),
    });
    const field = h('input', {
      type: 'number',
      class: 'exact',
      min: 0,
      step: 'any',
      'aria-label': `${range.title}, ${range.unit}`,
      title: range.unit,
      oninput: () => {
        if (field.value !== '') set(Number(field.value));
      },
    });
    this.sliders.push({ range, slider, field, said });
    return h(
      'div',
      { class: 'slide' },
      h('label', { class: 'caption', for: id }, range.title, ' ', said),
      h('div', { class: 'slide-row' }, slider, field),
    );
  }

  private limit(name: NumberName, title: string, unit: string, scale = 1, least = 0): HTMLElement {
    const element = h('input', {
      type: 'number',
      min: least,
      step: 'any',
      placeholder: 'any',
      oninput: () => {
        const value = Number(element.value);
        if (element.value === '' || !Number.isFinite(value) || value < least)
          delete this.question.number[name];
        else this.question.number[name] = Number((value / scale).toPrecision(12));
        // Two limits on one thing exclude each other; the newer one holds.
        if (name === 'max_latency') delete this.question.number.max_latency_p95;
        if (name === 'max_latency_p95') delete this.question.number.max_latency;
        this.tell();
      },
    });
    this.limits.push({ name, element, scale });
    return h(
      'label',
      { class: 'limit' },
      h('span', { class: 'caption' }, title),
      element,
      h('span', { class: 'unit' }, unit),
    );
  }

  private flag(name: FlagName, title: string): HTMLElement {
    const element = h('input', {
      type: 'checkbox',
      role: 'switch',
      onchange: () => {
        if (element.checked) this.question.flag[name] = true;
        else delete this.question.flag[name];
        this.tell();
      },
    });
    this.switches.push({ name, element });
    return h('label', { class: 'switch small' }, element, h('span', {}, title));
  }

  private objective(): HTMLElement {
    const options: [string, string][] = [
      ['latency', 'Latency'],
      ['cost', 'Money'],
      ['energy', 'Energy'],
      ['throughput', 'Images/s'],
      ['mix', 'Both'],
    ];
    this.mixField = h('input', {
      type: 'number',
      id: 'plan-mix',
      min: 0,
      step: 'any',
      value: '50',
      oninput: () => choose('mix'),
    });
    const choose = (value: string): void => {
      if (value === 'mix')
        this.question.text.objective = `latency=1,cost=${Math.max(0, Number(this.mixField.value) || 0)}`;
      else if (value === 'latency') delete this.question.text.objective;
      else this.question.text.objective = value;
      this.tell();
    };
    return h(
      'div',
      {},
      h(
        'div',
        { class: 'segments', role: 'radiogroup', 'aria-label': 'Objective' },
        ...options.map(([value, title]) => {
          const radio = h('input', {
            type: 'radio',
            name: 'objective',
            value,
            onchange: () => choose(value),
          });
          radio.value = value;
          this.objectives.push(radio);
          return h('label', {}, radio, h('span', {}, title));
        }),
      ),
      h(
        'label',
        { class: 'limit mix' },
        h('span', { class: 'caption' }, '1 € a month is worth'),
        this.mixField,
        h('span', { class: 'unit' }, 'ms'),
      ),
    );
  }
}

// The network that can be looked through: one cut is shown, the keyboard and the pointer go from cut to cut and choose one.
import { clear, h } from '../dom';
import { Drawing, key, sizes } from './drawing';
import { cutAt, divide, fittingLevel, type Graph, graphOf } from './graph';
import { type Level, levels } from './grouping';
import { layOut } from './layout';
import type { CutPlace, Topology } from './topology';

const levelNames: Record<Level, string> = { blocks: 'Blocks', stages: 'Stages', layers: 'Layers' };

export interface ViewHost {
  /** What is looked at; null: nothing any more. */
  look: (cut: CutPlace | null) => void;
  choose: (cut: CutPlace) => void;
  /** "split6 · q3, 403 B": on the line. */
  words: (cut: CutPlace) => string;
  /** All that is worth saying of it aloud. */
  spoken: (cut: CutPlace) => string;
  /** Which of the cuts through one tensor is meant: that of the least price. */
  price: (cut: CutPlace) => number;
}

let counted = 0;

export class NetworkView {
  readonly root = h('div', { class: 'net' });
  /** Scrolls sideways, and takes the keys. */
  private readonly stage = h('div', {
    class: 'net-stage',
    tabindex: 0,
    role: 'slider',
    'aria-label': 'The line through the network',
    'aria-valuemin': 0,
    'aria-valuemax': 0,
    'aria-valuenow': 0,
  });
  private readonly bar = h('div', { class: 'net-bar' });
  private topology: Topology | null = null;
  private graph: Graph | null = null;
  private drawing: Drawing | null = null;
  private looking: CutPlace | null = null;
  private plan: CutPlace | null = null;
  private chosen: CutPlace | null = null;
  private drawn = '';
  private revealed = false; // since the drawing is there
  private readonly name: string;

  constructor(private readonly host: ViewHost) {
    counted += 1;
    this.name = `net-level-${counted}`;
    this.root.append(this.bar, this.stage);
    this.stage.addEventListener('pointermove', (event) => this.look(this.under(event)));
    this.stage.addEventListener('pointerleave', () => this.look(null));
    this.stage.addEventListener('click', (event) => {
      const cut = this.under(event);
      if (cut) this.host.choose(cut);
    });
    this.stage.addEventListener('blur', () => this.look(null));
    this.stage.addEventListener('keydown', (event) => this.key(event as KeyboardEvent));
  }

  setTopology(topology: Topology): void {
    this.topology = topology;
    this.looking = null;
    this.setLevel(fittingLevel(topology));
  }

  /** `plan`: the line of the plan, `chosen`: what somebody chose instead. */
  show(plan: CutPlace | null, chosen: CutPlace | null): void {
    this.plan = plan;
    this.chosen = chosen;
    this.draw();
  }

  private setLevel(level: Level): void {
    if (!this.topology) return;
    this.graph = graphOf(this.topology, level);
    this.drawing = new Drawing(
      this.graph,
      layOut(this.graph, sizes),
      this.topology.layers.map((l) => l.name),
    );
    clear(this.stage, this.drawing.svg);
    this.drawn = '';
    this.revealed = false;
    this.drawBar(level);
    this.draw();
  }

  private drawBar(now: Level): void {
    const counts = new Map<number, Level>(); // levels that look alike are one
    for (const level of levels) counts.set(graphOf(this.topology!, level).nodes.length, level);
    const kept = [...counts.values()];
    const same = graphOf(this.topology!, now).nodes.length;
    const choice = ([size, level]: [number, Level]): HTMLElement =>
      h(
        'label',
        {},
        h('input', {
          type: 'radio',
          name: this.name,
          value: level,
          checked: size === same,
          onchange: () => this.setLevel(level),
        }),
        h('span', {}, levelNames[level]),
      );
    clear(
      this.bar,
      key(),
      kept.length < 2
        ? null
        : h(
            'div',
            { class: 'net-levels', role: 'radiogroup', 'aria-label': 'Draw the network in' },
            ...[...counts].map(choice),
          ),
    );
  }

  // ---- what is looked at

  private under(event: Event): CutPlace | null {
    const way = (event.target as Element).closest<SVGElement>('.net-way');
    if (!way || !this.graph || !this.topology) return null;
    return cutAt(this.graph, this.topology, Number(way.dataset['edge']), this.host.price);
  }

  private look(cut: CutPlace | null): void {
    if (cut === this.looking) return;
    this.looking = cut;
    this.draw();
    this.host.look(cut);
  }

  private key(event: KeyboardEvent): void {
    const cuts = this.topology?.cuts ?? [];
    if (cuts.length === 0) return;
    const shown = this.shown();
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      if (shown) this.host.choose(shown);
      return;
    }
    if (event.key === 'Escape') {
      this.look(null);
      return;
    }
    const at = shown ? cuts.findIndex((c) => c.index === shown.index) : 0;
    const moves: Record<string, number> = {
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      PageUp: at + 10,
      PageDown: at - 10,
      Home: 0,
      End: cuts.length - 1,
    };
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.look(cuts[Math.min(cuts.length - 1, Math.max(0, next))]!);
    this.reveal();
  }

  private shown(): CutPlace | null {
    return this.looking ?? this.chosen ?? this.plan;
  }

  // ---- drawing

  private draw(): void {
    const { graph, topology, drawing } = this;
    if (!graph || !topology || !drawing) return;
    const shown = this.shown();
    const words = shown ? this.host.words(shown) : '';
    const now = `${shown?.name} ${words} ${this.plan?.name}`;
    if (now === this.drawn) return;
    const first = shown !== null && !this.revealed;
    this.revealed ||= first;
    this.drawn = now;
    drawing.divide(shown ? divide(graph, topology, shown) : null, words);
    const elsewhere = this.plan && this.plan.name !== shown?.name ? this.plan : null;
    drawing.ghostAt(elsewhere ? divide(graph, topology, elsewhere) : null);
    this.stage.setAttribute('aria-valuemax', String(topology.cuts.length - 1));
    this.stage.setAttribute('aria-valuenow', String(Math.max(0, shown?.index ?? 0)));
    this.stage.setAttribute('aria-valuetext', shown ? this.host.spoken(shown) : '');
    if (first) this.reveal();
  }

  /** Brings the line into sight, without any motion of the page. */
  private reveal(): void {
    const shown = this.shown();
    if (!shown || !this.graph || !this.topology || !this.drawing) return;
    const x = this.drawing.placeOf(divide(this.graph, this.topology, shown));
    const { scrollLeft, clientWidth } = this.stage;
    if (x === null || clientWidth === 0) return;
    if (x < scrollLeft + 60 || x > scrollLeft + clientWidth - 60) this.stage.scrollLeft = x - clientWidth / 2;
  }
}

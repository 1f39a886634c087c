// The network as a graph on the planner's page. Its code comes a little later than the page: most of it is the layout's.
import { h } from '../dom';
import { count, millis } from '../format';
import type { CutPlace } from '../network/topology';
import type { NetworkView } from '../network/view';
import { type Answer, type Candidate, type CutId, cutPlaceOf, isPlan, type Network, placeOf } from './answer';
import type { Choice } from './choice';
import { payload } from './words';

export class GraphBox {
  readonly root = h('div', { class: 'graph-box' });
  private view: NetworkView | null = null;
  private network: Network | null = null;
  private answer: Answer | null = null;
  private choice: Choice | null = null;

  constructor(
    private readonly host: { look: (cut: CutId | null) => void; choose: (cut: CutPlace) => void },
  ) {}

  async setNetwork(network: Network): Promise<void> {
    this.network = network;
    this.answer = null; // it was of another one
    const { NetworkView } = await import('../network/view');
    if (network !== this.network) return; // another one by now
    if (this.view === null) {
      this.view = new NetworkView({
        look: (cut) => this.host.look(cut?.index ?? null),
        choose: this.host.choose,
        words: (cut) => {
          const c = this.candidate(cut);
          return c && this.network ? `${placeOf(c, this.network)} · ${payload(c)}` : cut.name;
        },
        spoken: (cut) => this.spoken(cut),
        price: (cut) => this.candidate(cut)?.objective ?? Number.POSITIVE_INFINITY,
      });
      this.root.append(this.view.root);
    }
    this.view.setTopology(network);
    this.draw();
    document.documentElement.dataset['graph'] = network.name;
  }

  show(answer: Answer, choice: Choice): void {
    this.answer = answer;
    this.choice = choice;
    this.draw();
  }

  private draw(): void {
    const { view, network, answer } = this;
    if (!view || !network || !answer) return;
    const plan = isPlan(answer) ? cutPlaceOf(answer.best, network, answer.best.edge_layers) : null;
    view.show(plan, this.choice?.place(network) ?? null);
  }

  private candidate(cut: CutPlace): Candidate | undefined {
    const { answer } = this;
    return (
      answer?.candidates.find((c) => c.cut === cut.index) ??
      (answer && isPlan(answer) && answer.best.name === cut.name ? answer.best : undefined)
    );
  }

  private spoken(cut: CutPlace): string {
    const c = this.candidate(cut);
    if (!c || !this.network) return cut.name;
    const tensors = `${count(c.tensors.length)} tensor${c.tensors.length === 1 ? '' : 's'}`;
    return `${placeOf(c, this.network)}, ${tensors}, ${payload(c)}, ${millis(c.latency_ms.total)}`;
  }
}

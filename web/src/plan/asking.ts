// The questions of the planner's page: one is out at a time; newer ones wait for it, and of those only the newest is asked.
import { ask } from '../api';
import { type Answer, type Network, networkOf } from './answer';
import { type Question, writeQuestion } from './question';

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

export class Asking {
  /** Of the last answer. */
  network: Network | null = null;
  private readonly known = new Map<string, Network>();
  private asking = false;
  private again = false;

  /** `question`: the newest one, whenever it is asked for; `model`: the one that is meant when it names none. */
  constructor(
    private readonly question: () => Question,
    private readonly model: () => string | undefined,
    private readonly events: {
      /** What can be asked of a network: the one that the question names. */
      asked: (network: Network) => void;
      /** What is drawn: the answer's own, which may be another in integers. */
      network: (network: Network) => void;
      answer: (answer: Answer, asked: Question) => void;
      rest: () => void;
      failed: (error: unknown) => void;
    },
  ) {}

  async refresh(): Promise<void> {
    if (this.asking) {
      this.again = true;
      return;
    }
    this.asking = true;
    try {
      do {
        this.again = false;
        const wanted = this.question().text.model ?? this.model() ?? '';
        this.events.asked(await this.read(wanted));
        const asked = structuredClone(this.question());
        const { answer, network } = await this.plan(asked);
        const other = network !== this.network;
        this.network = network;
        if (other) this.events.network(network);
        this.events.answer(answer, asked);
      } while (this.again);
      this.events.rest();
    } catch (error) {
      this.events.failed(error);
    }
    this.asking = false;
    if (this.again) void this.refresh();
  }

  /** The answer to any question, and the network that it is of. */
  async plan(asked: Question): Promise<{ answer: Answer; network: Network }> {
    const answer = await patiently(() => ask<Answer>('/api/plan', writeQuestion(asked)));
    return { answer, network: await this.read(networkOf(answer) ?? asked.text.model ?? this.model() ?? '') };
  }

  private async read(model: string): Promise<Network> {
    const known = this.known.get(model);
    if (known) return known;
    const query = new URLSearchParams(model === '' ? {} : { model });
    const network = await patiently(() => ask<Network>('/api/network', query));
    if (this.known.size >= 8) this.known.clear();
    this.known.set(model, network);
    return network;
  }
}

/** The server reads a model when it is first asked for. */
async function patiently<T>(question: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await question();
    } catch (error) {
      if (tries > 150 || !/is being read/.test(String(error))) throw error;
      await pause(100);
    }
  }
}

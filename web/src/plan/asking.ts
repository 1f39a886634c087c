// The questions of the planner's page: one is out at a time; newer ones wait for it, and of those only the newest is asked.
import { ask } from '../api';
import type { Answer, Network } from './answer';
import { type Question, writeQuestion } from './question';

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

export class Asking {
  network: Network | null = null;
  private asking = false;
  private again = false;

  /** `question`: the newest one, whenever it is asked for; `model`: the one that is meant when it names none. */
  constructor(
    private readonly question: () => Question,
    private readonly model: () => string | undefined,
    private readonly events: {
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
        const wanted = this.question().text.model;
        if (this.network === null || this.network.name !== (wanted ?? this.model())) await this.load(wanted);
        const asked = structuredClone(this.question());
        this.events.answer(await ask<Answer>('/api/plan', writeQuestion(asked)), asked);
      } while (this.again);
      this.events.rest();
    } catch (error) {
      this.events.failed(error);
    }
    this.asking = false;
    if (this.again) void this.refresh();
  }

  /** The server reads a model when it is first asked for. */
  private async load(model: string | undefined): Promise<void> {
    const query = new URLSearchParams();
    if (model) query.set('model', model);
    for (let tries = 0; ; tries += 1) {
      try {
        this.network = await ask<Network>('/api/network', query);
        break;
      } catch (error) {
        if (tries > 150 || !/is being read/.test(String(error))) throw error;
        await pause(100);
      }
    }
    this.events.network(this.network);
  }
}

// Live detections. The browser reconnects by itself and says where it was; the server resumes there.
import type { Detection } from './api';

export type StreamState = 'connecting' | 'live' | 'lost';
interface Events {
  detection: (d: Detection) => void;
  state: (state: StreamState) => void;
  reset: () => void; // another store answers now: everything shown is void
  forgotten: () => void; // rows are gone, for their age or deleted: what is shown may be among them
}

export class Stream {
  private source: EventSource | null = null;
  private seen = 0;
  private after = '';
  private deletions: number | null = null; // how often rows of the store had been deleted

  constructor(private readonly events: Events) {}

  start(epoch: string, after: number): void {
    this.stop();
    this.seen = after;
    this.after = `${epoch}-${after}`;
    this.deletions = null;
    this.open();
  }

  stop(): void {
    this.source?.close();
    this.source = null;
  }

  private open(): void {
    this.events.state('connecting');
    const source = new EventSource(`/api/events?after=${encodeURIComponent(this.after)}`);
    this.source = source;
    source.addEventListener('hello', (event) => {
      this.events.state('live');
      // Something was deleted while nobody listened.
      const { deletions } = JSON.parse((event as MessageEvent<string>).data) as { deletions: number };
      const missed = this.deletions !== null && this.deletions !== deletions;
      this.deletions = deletions;
      if (missed) this.events.forgotten();
    });
    source.addEventListener('reset', () => {
      this.events.state('live');
      this.events.reset();
    });
    source.addEventListener('forgotten', (event) => {
      this.deletions = (JSON.parse((event as MessageEvent<string>).data) as { deletions: number }).deletions;
      this.events.forgotten();
    });
    source.addEventListener('detection', (event) => {
      const detection = JSON.parse((event as MessageEvent<string>).data) as Detection;
      if (detection.id <= this.seen) return;
      this.seen = detection.id;
      this.after = (event as MessageEvent).lastEventId;
      this.events.detection(detection);
    });
    source.addEventListener('error', () => {
      this.events.state('lost');
      // The browser gives up after an answer that is no stream (a proxy's error page, 503): go on from here.
      if (source.readyState === EventSource.CLOSED && this.source === source) {
        setTimeout(() => {
          if (this.source === source) this.open();
        }, 3000);
      }
    });
  }
}

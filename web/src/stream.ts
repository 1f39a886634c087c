// Live detections. The browser reconnects by itself and says where it was; the server resumes there.
import type { Detection } from './api';

export type StreamState = 'connecting' | 'live' | 'lost';
interface Events {
  detection: (d: Detection) => void;
  state: (state: StreamState) => void;
  reset: () => void; // another store answers now: everything shown is void
  forgotten: () => void; // rows between those seen and those to come are gone: what is shown may be as well
}

export class Stream {
  private source: EventSource | null = null;
  private seen = 0;
  private after = '';

  constructor(private readonly events: Events) {}

  start(epoch: string, after: number): void {
    this.stop();
    this.seen = after;
    this.after = `${epoch}-${after}`;
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
    source.addEventListener('hello', () => this.events.state('live'));
    source.addEventListener('reset', () => {
      this.events.state('live');
      this.events.reset();
    });
    source.addEventListener('forgotten', () => this.events.forgotten());
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

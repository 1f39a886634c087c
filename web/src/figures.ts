// Four figures over the list: what is in view, and what is stored, kept up with the stream between two readings.
import { capital, type Detection, type Inventory, reportedWord } from './api';
import { clear, h } from './dom';
import { count, short } from './format';

const figure = (name: string, value: string): HTMLElement =>
  h('div', {}, h('dt', {}, name), h('dd', {}, value));

export class Figures {
  readonly root = h('dl', { class: 'figures' });
  private inventory: Inventory | null = null;
  private reported = 0;

  take(inventory: Inventory): void {
    this.inventory = inventory;
    this.reported = inventory.mechanisms.reduce((sum, t) => sum + t.positives, 0);
  }

  /** How many pictures the store has; null while nobody knows. */
  stored(): number | null {
    return this.inventory?.count ?? null;
  }

  mechanisms(): string[] {
    return (this.inventory?.mechanisms ?? []).map((t) => t.name);
  }

  word(): string {
    return reportedWord(this.inventory);
  }

  /** False when the inventory has to be read again: it has not heard of this one's device, label or mechanism. */
  arrived(d: Detection): boolean {
    const stock = this.inventory;
    if (stock === null) return false;
    stock.count += 1;
    if (d.positive) this.reported += 1;
    stock.last = Math.max(stock.last, d.captured ?? 0);
    return (
      stock.devices.some((t) => t.name === d.device) &&
      stock.labels.some((t) => t.name === d.label) &&
      stock.mechanisms.some((t) => t.name === d.mechanism)
    );
  }

  show(inView: number): void {
    clear(
      this.root,
      figure('In view', short(inView)),
      figure('Stored', short(this.inventory?.count ?? 0)),
      figure(capital(this.word()), short(this.reported)),
      figure('Devices', count(this.inventory?.devices.length ?? 0)),
    );
  }
}

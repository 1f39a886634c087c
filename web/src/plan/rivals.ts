// What the other ways would cost, line by line, with their sums as bars.
import { clear, h } from '../dom';
import { count, millis, percent } from '../format';
import { mechanismTag } from '../mechanism_tag';
import { type Bill, type Candidate, mechanismOf, type Network, type Plan, placeOf } from './answer';
import { euro, figure } from './scale';
import { agreement, instances, notRun, payload, ruledOut } from './words';

interface Row {
  title: string;
  c: Candidate;
  bill: Bill | undefined;
  own: boolean;
}

/** Parts of a sum as one bar; `most` fills it. */
function stack(values: [string, number][], most: number, said: string): HTMLElement {
  const total = values.reduce((sum, [, value]) => sum + value, 0);
  const over = total > most;
  const element = h('div', {
    class: `bar${over ? ' cut-off' : ''}`,
    role: 'img',
    'aria-label': said,
    title: said,
  });
  element.style.width = `${Math.max(1.5, Math.min(100, (100 * total) / Math.max(most, 1e-12)))}%`;
  for (const [kind, value] of values) {
    if (value <= 0) continue;
    const part = h('span', { class: `part s-${kind}` });
    part.style.flexGrow = String(value / Math.max(total, 1e-12));
    element.append(part);
  }
  return element;
}

const sub = (words: string): HTMLElement => h('span', { class: 'sub' }, words);
const cell = (name: string, ...content: (Node | string | null)[]): HTMLElement =>
  h('td', { 'data-name': name }, ...content);

/** "2.4 ×", "+12 %", or nothing where it is the same. */
export function times(mine: number, best: number): string {
  if (best <= 0 || Math.abs(mine / best - 1) < 0.005) return '';
  if (mine / best >= 1.995) return `${figure(mine / best)} ×`;
  return `${mine > best ? '+' : '−'}${percent(Math.abs(mine / best - 1))}`;
}

export class Rivals {
  readonly root = h('div', { class: 'rivals', tabindex: 0, role: 'region', 'aria-label': 'The others' });

  show(plan: Plan, network: Network): void {
    const rows: Row[] = [
      { title: 'This plan', c: plan.best, bill: plan.fleet.plan, own: true },
      ...plan.rivals.map((r) => ({
        title: r.title,
        c: r,
        bill: plan.fleet.rivals.find((b) => b.key === r.key),
        own: false,
      })),
    ];
    const fleet = `Fleet of ${count(plan.fleet.devices)}`;
    const heads = [
      'What',
      'Line',
      'Latency',
      'device · network · cloud',
      'A device and month',
      'device · energy · data · cloud',
      fleet,
    ];
    // One rival far behind does not press all others to nothing.
    const latencies = rows.map((r) => r.c.latency_ms.total);
    const longest = Math.min(
      Math.max(...latencies),
      4 * Math.max(plan.best.latency_ms.total, ...latencies.slice(1, 3)),
    );
    const costs = rows.map((r) => r.c.cost_per_device_month);
    const dearest = Math.min(Math.max(...costs), 4 * Math.max(...costs.slice(0, 3)));
    const row = ({ title, c, bill, own }: Row): HTMLElement =>
      h(
        'tr',
        { class: `${own ? 'own' : ''}${c.violates.length > 0 ? ' silent' : ''}` },
        h('th', { scope: 'row' }, title, this.remark(c, plan, own)),
        cell(
          'Line',
          mechanismTag(mechanismOf(c.cut, network), placeOf(c, network)),
          sub(payload(c)),
          c.agreement === null || c.agreement === 1 ? null : sub(agreement(c)),
        ),
        cell(
          'Latency',
          millis(c.latency_ms.total),
          sub(times(c.latency_ms.total, plan.best.latency_ms.total)),
        ),
        cell('device · network · cloud', this.latency(c, longest)),
        cell(
          'A device and month',
          euro(c.cost_per_device_month),
          sub(times(c.cost_per_device_month, plan.best.cost_per_device_month)),
        ),
        cell('device · energy · data · cloud', bill ? this.money(c, bill, dearest) : ''),
        cell(fleet, bill?.euro_month == null ? '—' : euro(bill.euro_month), sub(bill ? instances(bill) : '')),
      );
    clear(
      this.root,
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, ...heads.map((name) => h('th', { scope: 'col' }, name)))),
        h('tbody', {}, ...rows.map(row)),
      ),
    );
  }

  private remark(c: Candidate, plan: Plan, own: boolean): HTMLElement | null {
    if (c.violates.length > 0) return sub(ruledOut(c));
    if (!c.runnable) return sub(notRun(c));
    return !own && c.cut === plan.best.cut && c.codec === plan.best.codec ? sub('is this plan') : null;
  }

  private latency(c: Candidate, longest: number): HTMLElement {
    const l = c.latency_ms;
    const network = l.uplink + l.downlink;
    return stack(
      [
        ['edge', l.edge],
        ['encode', l.encode],
        ['network', network],
        ['decode', l.decode],
        ['cloud', l.cloud],
      ],
      longest,
      `device ${millis(l.edge + l.encode)}, network ${millis(network)}, cloud ${millis(l.decode + l.cloud)}`,
    );
  }

  private money(c: Candidate, bill: Bill, dearest: number): HTMLElement {
    const b = bill.device_month;
    // A share of instances, not whole ones.
    const cloud = Math.max(0, c.cost_per_device_month - b.hardware - b.energy - b.data);
    return stack(
      [
        ['hardware', b.hardware],
        ['energy', b.energy],
        ['data', b.data],
        ['cloud', cloud],
      ],
      dearest,
      `device ${euro(b.hardware)}, energy ${euro(b.energy)}, data ${euro(b.data)}, cloud ${euro(cloud)}`,
    );
  }
}

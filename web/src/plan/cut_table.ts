// Every cut in words: what the graph and the chart show, for those who read.
import { clear, h } from '../dom';
import { bytes as human, millis } from '../format';
import type { CutPlace } from '../network/topology';
import { type Answer, type CutId, isPlan, type Network, placeOf } from './answer';
import { euro } from './scale';
import { agreement, notRun, payload, ruledOut } from './words';

export class CutTable {
  readonly root = h('details', { class: 'cut-table' }, h('summary', {}, 'Every cut in a table'));
  private readonly table = h('div', {
    class: 'cut-rows',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Every cut',
  });
  private draw: (() => void) | null = null;

  constructor(private readonly choose: (cut: CutPlace) => void) {
    this.root.append(this.table);
    this.root.addEventListener('toggle', () => {
      if (this.root.open) this.draw?.();
    });
  }

  show(answer: Answer, network: Network, chosen: CutId | null): void {
    this.draw = () => this.fill(answer, network, chosen);
    if (this.root.open) this.draw();
  }

  private fill(answer: Answer, network: Network, chosen: CutId | null): void {
    const best = isPlan(answer) ? answer.best.cut : null;
    const focused = document.activeElement?.closest('tr')?.dataset['cut'];
    const rows = answer.candidates.map((c) => {
      const place = network.cuts.find((cut) => cut.index === c.cut);
      const remark = [c.cut === best ? 'the plan' : '', ruledOut(c), notRun(c)]
        .filter((w) => w !== '')
        .join('; ');
      return h(
        'tr',
        { 'data-cut': c.cut, class: c.cut === best ? 'own' : c.violates.length > 0 ? 'silent' : '' },
        h(
          'th',
          { scope: 'row' },
          place
            ? h(
                'button',
                {
                  class: 'link',
                  'aria-pressed': c.cut === (chosen ?? best),
                  onclick: () => this.choose(place),
                },
                placeOf(c, network),
              )
            : placeOf(c, network),
          remark === '' ? null : h('span', { class: 'sub' }, remark),
        ),
        h('td', {}, String(c.tensors.length)),
        h('td', {}, place ? human(place.bytes) : ''),
        h('td', {}, payload(c)),
        h('td', {}, agreement(c)),
        h('td', {}, millis(c.latency_ms.total)),
        h('td', {}, euro(c.cost_per_device_month)),
      );
    });
    const heads = ['Cut', 'Tensors', 'As they are', 'Sent', 'Fidelity', 'Latency', 'A device and month'];
    clear(
      this.table,
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, ...heads.map((name) => h('th', { scope: 'col' }, name)))),
        h('tbody', {}, ...rows),
      ),
    );
    if (focused !== undefined)
      this.table.querySelector<HTMLElement>(`tr[data-cut="${CSS.escape(focused)}"] button`)?.focus();
  }
}

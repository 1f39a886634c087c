// What the times cannot tell from the cheapest: how much more each tie costs, within the band that cannot be told from nothing.
import { clear, h, s } from '../dom';
import { mechanismTag } from '../mechanism_tag';
import { type CutId, mechanismOf, type Network, type Plan, placeOf } from './answer';
import { euro, figure, linear } from './scale';

const most = 8;
const box = { width: 260, height: 26 };

export interface TieRow {
  cut: CutId;
  codec: string;
  alias: string | null;
  above: number; // the cheapest
  uncertainty: number;
  agreement: number | null;
  month: number;
  own: boolean;
}

/** The plan and its ties, the cheapest first. */
export function tieRows(plan: Plan): TieRow[] {
  const { best, ties, certificate } = plan;
  const own: TieRow = {
    cut: best.cut,
    codec: best.codec,
    alias: best.alias,
    above: (best.objective ?? 0) - (certificate.optimum ?? 0),
    uncertainty: 0,
    agreement: best.agreement,
    month: best.cost_per_device_month,
    own: true,
  };
  const others = ties.map(
    (t): TieRow => ({
      cut: t.cut,
      codec: t.codec,
      alias: t.alias,
      above: t.above_cheapest,
      uncertainty: t.uncertainty,
      agreement: t.agreement,
      month: t.cost_per_device_month,
      own: false,
    }),
  );
  const nearest = others.sort((x, y) => x.above - y.above).slice(0, most - 1);
  return [own, ...nearest].sort((x, y) => x.above - y.above);
}

export class TiesChart {
  readonly root = h('div', { class: 'ties-box' });

  constructor(private readonly choose: (cut: CutId) => void) {}

  show(plan: Plan, network: Network): void {
    const rows = tieRows(plan);
    const reach = Math.max(...rows.map((r) => Math.max(r.above, r.uncertainty)), 1e-9);
    const x = linear(0, reach * 1.05, 6, box.width - 6, 4);
    const hidden = plan.ties.length + 1 - rows.length;
    clear(
      this.root,
      h('p', { class: 'soft small ties' }, plan.uncertainty.text),
      h(
        'div',
        { class: 'compare-scroll', tabindex: 0, role: 'region', 'aria-label': 'The plan and its ties' },
        h(
          'table',
          {},
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ...[
                'Line',
                'Sent as',
                `More than the cheapest, ${plan.certificate.unit}`,
                'Fidelity',
                'A device and month',
              ].map((name) => h('th', { scope: 'col' }, name)),
            ),
          ),
          h('tbody', {}, ...rows.map((r) => this.row(r, network, x.at))),
        ),
      ),
      hidden > 0 ? h('p', { class: 'soft small' }, `${hidden} more are as near.`) : null,
    );
  }

  private row(r: TieRow, network: Network, at: (value: number) => number): HTMLElement {
    const name = placeOf(r, network);
    const said = `${figure(r.above)}${r.uncertainty > 0 ? ` ± ${figure(r.uncertainty)}` : ''}`;
    const middle = box.height / 2;
    const band = s(
      'svg',
      {
        viewBox: `0 0 ${box.width} ${box.height}`,
        width: box.width,
        height: box.height,
        'aria-hidden': 'true',
      },
      s('path', { d: `M${at(0)} 0V${box.height}`, class: 'tie-zero' }),
      r.uncertainty > 0
        ? s('rect', {
            x: at(0),
            y: middle - 6,
            width: at(r.uncertainty) - at(0),
            height: 12,
            rx: 3,
            class: 'tie-band',
          })
        : null,
      s('circle', { cx: at(r.above), cy: middle, r: 4.5, class: r.own ? 'tie-dot own' : 'tie-dot' }),
    );
    const place = mechanismTag(mechanismOf(r.cut, network), name);
    return h(
      'tr',
      { class: r.own ? 'own' : '' },
      h(
        'th',
        { scope: 'row' },
        r.own
          ? h('span', {}, place, h('span', { class: 'sub' }, 'the plan'))
          : h('button', { class: 'link', onclick: () => this.choose(r.cut) }, place),
      ),
      h('td', {}, r.codec === 'verdict' ? 'the verdict' : r.codec),
      h('td', { class: 'tie-cell' }, band, h('span', {}, said)),
      h('td', {}, r.agreement === null ? 'not known' : `${figure(100 * r.agreement)} %`),
      h('td', {}, euro(r.month)),
    );
  }
}

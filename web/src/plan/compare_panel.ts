// A plan that is kept as A, beside the one that the controls ask for now.
import { clear, h } from '../dom';
import type { Machines } from './answer';
import { type CompareRow, changes, compare, type Planned } from './compare';

export class ComparePanel {
  readonly root = h('div', { class: 'side-by-side' });
  /** Takes what is shown now as A. */
  readonly keep: HTMLElement;
  private a: Planned | null = null;
  private b: Planned | null = null;

  constructor(
    private readonly machines: () => Machines,
    private readonly kept: (a: Planned | null) => void,
  ) {
    this.keep = h(
      'button',
      {
        class: 'link',
        onclick: () => {
          this.set(this.b);
          this.kept(this.a);
        },
      },
      'Keep this plan as A',
    );
    this.draw();
  }

  set(a: Planned | null): void {
    this.a = a;
    this.draw();
  }
  show(b: Planned): void {
    this.b = b;
    if (this.a) this.draw();
  }

  private draw(): void {
    const { a, b } = this;
    if (!a || !b) {
      const words = 'Keep a plan as A, then change anything: B beside it says what comes of that.';
      clear(this.root, h('p', { class: 'soft small' }, words));
      return;
    }
    const different = changes(a.question, b.question, this.machines());
    const rows = compare(a, b);
    clear(
      this.root,
      h(
        'p',
        { class: 'soft small changes' },
        different.length === 0 ? 'A and B ask the same.' : `B differs in ${different.join(', ')}.`,
      ),
      h(
        'div',
        { class: 'compare-scroll', tabindex: 0, role: 'region', 'aria-label': 'A and B' },
        h(
          'table',
          {},
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ...['', 'A', 'B', 'B less A'].map((name) =>
                name === '' ? h('td', {}) : h('th', { scope: 'col' }, name),
              ),
            ),
          ),
          h('tbody', {}, ...rows.map(row)),
        ),
      ),
      h('button', { class: 'link', onclick: () => this.forget() }, 'Forget A'),
    );
  }

  private forget(): void {
    this.set(null);
    this.kept(null);
    this.keep.focus();
  }
}

function row(r: CompareRow): HTMLElement {
  const side = (which: 'a' | 'b', words: string): HTMLElement =>
    h(
      'td',
      { class: r.better === which ? 'better' : '' },
      words,
      r.better === which ? h('span', { class: 'hidden' }, ', better') : null,
    );
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, r.name),
    side('a', r.a),
    side('b', r.b),
    h(
      'td',
      { class: r.tied ? 'tied' : '' },
      r.difference,
      r.tied ? h('span', { class: 'sub' }, 'not known that well') : null,
    ),
  );
}

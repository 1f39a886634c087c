// A table whose rows are kept from one answer to the next: what has the focus keeps it, and only what changed is drawn anew.
import { clear, h } from '../dom';

export interface Column<Row, Key extends string> {
  name: string;
  sort?: Key;
  text?: boolean; // ordered from A, not from the largest
  cell: (row: Row) => (Node | string)[];
}

/** The first column is the row's head. `columns` may differ from one drawing to the next. */
export class DeviceTable<Row extends { name: string }, Key extends string> {
  readonly root = h('div', { class: 'devices' });
  private readonly head = h('tr');
  private readonly body = h('tbody');
  private readonly rows = new Map<string, HTMLTableRowElement>();
  private headed = '';

  /** `sorted`: somebody chose a column. */
  constructor(private readonly sorted: (key: Key) => void) {
    this.root.append(h('table', {}, h('thead', {}, this.head), this.body));
  }

  draw(
    rows: Row[],
    columns: Column<Row, Key>[],
    sort: Key,
    turned: boolean,
    classOf: (row: Row) => string,
  ): void {
    this.drawHead(columns, sort, turned);
    const focused = document.activeElement;
    const order: HTMLTableRowElement[] = [];
    for (const row of rows) {
      let tr = this.rows.get(row.name);
      if (tr === undefined || tr.cells.length !== columns.length) {
        tr = h(
          'tr',
          {},
          ...columns.map((c, i) => (i === 0 ? h('th', { scope: 'row' }) : h('td', { 'data-name': c.name }))),
        );
        this.rows.set(row.name, tr);
      }
      tr.className = classOf(row);
      for (const [i, column] of columns.entries()) fill(tr.cells[i]!, column, column.cell(row));
      order.push(tr);
    }
    const same = order.length === this.body.rows.length && order.every((tr, i) => this.body.rows[i] === tr);
    if (!same) this.body.replaceChildren(...order);
    const there = new Set(rows.map((row) => row.name));
    for (const name of this.rows.keys()) if (!there.has(name)) this.rows.delete(name);
    // A row that moves loses the focus.
    if (focused instanceof HTMLElement && focused.isConnected && document.activeElement !== focused)
      focused.focus({ preventScroll: true });
  }

  private drawHead(columns: Column<Row, Key>[], sort: Key, turned: boolean): void {
    const names = columns.map((c) => c.name).join('\n');
    if (names !== this.headed) {
      this.headed = names;
      clear(
        this.head,
        ...columns.map((column) => {
          const key = column.sort;
          if (key === undefined) return h('th', { scope: 'col' }, column.name);
          return h(
            'th',
            { scope: 'col' },
            h('button', { type: 'button', class: 'sort', onclick: () => this.sorted(key) }, column.name),
          );
        }),
      );
    }
    for (const [i, column] of columns.entries()) {
      if (column.sort === undefined) continue;
      const rises = (column.text ?? false) !== turned;
      this.head.cells[i]!.ariaSort = column.sort !== sort ? 'none' : rises ? 'ascending' : 'descending';
    }
  }
}

/** Draws a cell anew where it says something else. */
function fill(cell: HTMLTableCellElement, column: { name: string }, content: (Node | string)[]): void {
  if (cell.tagName === 'TD') cell.dataset['name'] = column.name;
  const fresh = cell.cloneNode(false) as HTMLTableCellElement;
  fresh.append(...content);
  if (fresh.innerHTML === cell.innerHTML) return;
  // A link that stays the same stays the same element.
  const [old, now] = [cell.firstElementChild, fresh.firstElementChild];
  if (old instanceof HTMLAnchorElement && now?.outerHTML === old.outerHTML) {
    while (old.nextSibling) old.nextSibling.remove();
    now.remove();
    cell.append(...fresh.childNodes);
    return;
  }
  cell.replaceChildren(...fresh.childNodes);
}

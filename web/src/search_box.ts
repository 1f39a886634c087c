// Where to: coordinates always, and the names of a base map where it has them.
import { parsePlace, type Place } from './coordinates';
import { clear, h } from './dom';
import { degrees } from './format';
import type { Named } from './street_names';

export interface SearchHost {
  /** The names around the view; null: the map has none. */
  names: () => Promise<{ names: Named[]; search: (typed: string) => Named[] } | null>;
  go: (place: Place, zoom: number) => void;
}

interface Hit extends Place {
  title: string;
  kind: string;
  zoom: number;
}

const kinds = { street: 'street', place: 'place', water: 'water' };

export class SearchBox {
  readonly root = h('div', { class: 'search', role: 'search' });
  private readonly input: HTMLInputElement;
  private readonly list = h('ul', { class: 'hits' });
  private hits: Hit[] = [];
  private asked = 0;

  constructor(private readonly host: SearchHost) {
    this.input = h('input', {
      type: 'search',
      placeholder: 'Street, place or coordinates',
      'aria-label': 'Go to a street, a place or coordinates',
      autocomplete: 'off',
      spellcheck: false,
      oninput: () => void this.look(),
      onkeydown: (event: KeyboardEvent) => this.key(event),
    });
    this.list.hidden = true;
    this.root.append(this.input, this.list);
    this.root.addEventListener('focusout', (event) => {
      if (!this.root.contains(event.relatedTarget as Node | null)) this.list.hidden = true;
    });
    this.input.addEventListener('focus', () => {
      if (this.input.value !== '') this.list.hidden = false;
    });
  }

  private key(event: KeyboardEvent): void {
    if (event.key === 'Enter' && this.hits[0]) this.pick(this.hits[0]);
    if (event.key === 'ArrowDown') this.list.querySelector('button')?.focus();
    if (event.key === 'Escape') {
      this.list.hidden = true;
      event.stopPropagation();
    }
  }

  private async look(): Promise<void> {
    const typed = this.input.value;
    this.asked += 1;
    const mine = this.asked;
    const place = parsePlace(typed);
    if (place) {
      this.show(
        [{ ...place, title: degrees(place.lat, place.lon), kind: 'coordinates', zoom: 16 }],
        typed,
        true,
      );
      return;
    }
    if (typed.trim().length < 2) {
      this.show([], '', true);
      return;
    }
    const known = await this.host.names().catch(() => null);
    if (mine !== this.asked) return; // somebody typed on
    const found = known?.search(typed) ?? [];
    this.show(
      found.map(({ name, kind, lat, lon }) => ({
        lat,
        lon,
        title: name,
        kind: kinds[kind],
        zoom: kind === 'place' ? 14 : 16.5,
      })),
      typed,
      known !== null,
    );
  }

  private show(hits: Hit[], typed: string, named: boolean): void {
    this.hits = hits;
    this.list.hidden = typed.trim() === '';
    const none = named
      ? 'Nothing around here has that name.'
      : 'This map has no names: write coordinates, as 47.37, 8.54.';
    clear(
      this.list,
      ...(hits.length === 0
        ? [h('li', { class: 'soft', role: 'status' }, none)]
        : hits.map((hit) =>
            h(
              'li',
              {},
              h(
                'button',
                { onclick: () => this.pick(hit), onkeydown: (event: KeyboardEvent) => this.walk(event) },
                hit.title,
                h('span', {}, hit.kind),
              ),
            ),
          )),
    );
  }

  /** Up and down between hits, and back to the box. */
  private walk(event: KeyboardEvent): void {
    const buttons = [...this.list.querySelectorAll('button')];
    const at = buttons.indexOf(event.currentTarget as HTMLButtonElement);
    if (event.key === 'ArrowDown') buttons[at + 1]?.focus();
    else if (event.key === 'ArrowUp') (buttons[at - 1] ?? this.input).focus();
    else if (event.key === 'Escape') this.input.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private pick(hit: Hit): void {
    this.list.hidden = true;
    this.input.value = hit.title;
    this.host.go(hit, hit.zoom);
  }
}

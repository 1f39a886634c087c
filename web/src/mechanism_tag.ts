import { h } from './dom';
import { mechanismColour } from './palette';

/** A dot in the mechanism's colour, and words; the mechanism's own name unless others are given. */
export function mechanismTag(mechanism: string, words = mechanism): HTMLElement {
  const dot = h('i', { class: 'dot', 'aria-hidden': 'true' });
  dot.style.background = mechanismColour(mechanism);
  return h('span', { class: 'tag' }, dot, words);
}

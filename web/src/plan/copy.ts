// A text to be taken away: shown, and copied by a button.
import { clear, h } from '../dom';

/** Says "Copied" for a moment; without a clipboard nothing happens, and the text can still be selected. */
export function copyButton(text: () => string, of: string): HTMLElement {
  const button = h(
    'button',
    { class: 'link', 'aria-label': `Copy ${of}`, onclick: () => void copy() },
    'Copy',
  );
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      return; // no clipboard here, or none that may be written to
    }
    button.textContent = 'Copied';
    setTimeout(() => {
      button.textContent = 'Copy';
    }, 1500);
  }
  return button;
}

/** A command in an element: lines are broken between flags, and on small screens within their values. */
export function showCommand(code: HTMLElement, words: string): void {
  const parts = words.split(/ (?=--)/).map((part) => {
    const [flag, ...value] = part.split(' ');
    return h('span', {}, h('span', { class: 'flag' }, flag), value.length > 0 ? ` ${value.join(' ')}` : null);
  });
  clear(code, ...parts.flatMap((part, i) => (i > 0 ? [' ', part] : [part])));
}

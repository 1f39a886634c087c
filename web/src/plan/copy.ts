// A text to be taken away: shown, and copied by a button.
import { h } from '../dom';

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

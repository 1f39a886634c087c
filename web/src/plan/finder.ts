// A long list of choices, narrowed by letters.
import { h } from '../dom';

/** Of the texts those that hold what was typed as it stands; where none does, those that hold its words. Case does not count. */
export function found(texts: string[], typed: string): boolean[] {
  const wanted = typed.trim().toLowerCase();
  const low = texts.map((text) => text.toLowerCase());
  const whole = low.map((text) => text.includes(wanted));
  if (whole.includes(true)) return whole;
  const words = wanted.split(/\s+/);
  return low.map((text) => words.every((word) => text.includes(word)));
}

/** A field that leaves of a select's options those that match, and what is chosen; Enter takes the first match. */
export function finderOf(select: HTMLSelectElement, what: string): HTMLElement {
  const all = [...select.children].map((child) => child.cloneNode(true) as HTMLElement);
  const text = (option: HTMLOptionElement): string => `${option.textContent} ${option.value}`;
  const options = all.flatMap((group) => [...group.querySelectorAll('option')]);
  const fitting = (typed: string): string[] => {
    const fits = found(options.map(text), typed);
    return options.filter((_, i) => fits[i]).map((option) => option.value);
  };
  const narrowed = (typed: string): HTMLElement[] => {
    const fit = new Set(fitting(typed)).add(select.value);
    return all.flatMap((group) => {
      const copy = group.cloneNode(true) as HTMLElement;
      for (const option of copy.querySelectorAll('option')) if (!fit.has(option.value)) option.remove();
      return copy.childElementCount > 0 ? [copy] : [];
    });
  };
  const fill = (): void => {
    const { value } = select;
    select.replaceChildren(...narrowed(input.value));
    select.value = value;
  };
  const input = h('input', {
    type: 'search',
    class: 'finder',
    placeholder: `Find among ${select.options.length}`,
    'aria-label': `Find ${what}`,
    autocomplete: 'off',
    spellcheck: false,
    oninput: fill,
    onkeydown: (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || input.value === '') return;
      event.preventDefault();
      const [first] = fitting(input.value);
      if (first === undefined) return;
      select.value = first;
      select.dispatchEvent(new Event('change'));
      input.value = '';
      fill();
    },
  });
  return input;
}

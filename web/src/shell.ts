// What every page has at its top: the name, the way to the other pages, whether the stream is alive, light or dark.
import { h, s } from './dom';
import type { StreamState } from './stream';

const pages = [
  { path: '/', name: 'Map' },
  { path: '/plan', name: 'Planner' },
  { path: '/fleet', name: 'Fleet' },
];

const systemDark = matchMedia('(prefers-color-scheme: dark)');

/** The browser may forbid storage; then the choice lasts as long as the page. */
let chosen: string | null = null;
try {
  chosen = localStorage.getItem('theme');
} catch {
  /* forbidden */
}

export const isDark = (): boolean => (chosen === null ? systemDark.matches : chosen === 'dark');

export interface Shell {
  header: HTMLElement;
  title: (text: string) => void;
  stream: (state: StreamState) => void;
}

export function makeShell(themeChanged: (dark: boolean) => void): Shell {
  const apply = (): void => {
    document.documentElement.dataset['theme'] = isDark() ? 'dark' : 'light';
    themeButton.setAttribute('aria-label', isDark() ? 'Switch to light colours' : 'Switch to dark colours');
  };
  const road = s(
    'svg',
    { viewBox: '0 0 32 32', class: 'logo', 'aria-hidden': 'true' },
    s('rect', { width: 32, height: 32, rx: 8, class: 'logo-ground' }),
    s('path', { d: 'M12 32 15 0h2l3 32z', class: 'logo-road' }),
    s('path', { d: 'M22 32 18.2 0h1.2L26 32z', class: 'logo-line' }),
    s('circle', { cx: 10.5, cy: 19, r: 3.6, class: 'logo-litter' }),
  );
  const name = h('span', { class: 'title' }, 'Fogline');
  const status = h('span', { class: 'status', role: 'status', 'data-state': 'connecting' }, 'Connecting');
  const themeButton = h(
    'button',
    {
      class: 'icon',
      onclick: () => {
        chosen = isDark() ? 'light' : 'dark';
        try {
          localStorage.setItem('theme', chosen);
        } catch {
          /* forbidden */
        }
        apply();
        themeChanged(isDark());
      },
    },
    s(
      'svg',
      { viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true' },
      s('circle', { cx: 8, cy: 8, r: 6, class: 'ring' }),
      s('path', { d: 'M8 2a6 6 0 0 1 0 12z', class: 'half' }),
    ),
  );
  const here = pages.some((page) => page.path === location.pathname) ? location.pathname : '/';
  const links = pages.map((page) =>
    h('a', { href: page.path, 'aria-current': page.path === here ? 'page' : undefined }, page.name),
  );
  systemDark.addEventListener('change', () => {
    if (chosen !== null) return;
    apply();
    themeChanged(isDark());
  });
  apply();
  return {
    header: h(
      'header',
      { class: 'top' },
      h('a', { class: 'brand', href: '/' }, road, name),
      h('nav', { 'aria-label': 'Pages' }, ...links),
      status,
      themeButton,
    ),
    title: (text) => {
      name.textContent = text;
    },
    stream: (state) => {
      status.dataset['state'] = state;
      status.textContent = state === 'live' ? 'Live' : state === 'lost' ? 'Reconnecting' : 'Connecting';
    },
  };
}

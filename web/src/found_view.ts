// What a network found, drawn: boxes or a mask over the picture, and a list of what there is.
import type { Detection, Mask } from './api';
import { classColour } from './class_colours';
import { h, s } from './dom';
import {
  figure,
  findsMore,
  groupsOf,
  listedNumbers,
  namedBoxes,
  nameOf,
  placeOf,
  spokenBoxes,
  stripesOf,
} from './findings';
import { count, percent } from './format';

function coloured<E extends HTMLElement | SVGElement>(element: E, label: string): E {
  element.style.setProperty('--class', classColour.of(label));
  return element;
}

/** The boxes as one drawing that covers the picture, each in its class's colour, those of the label that was said
 *  standing out; the surest are named. */
function overlay(d: Detection): HTMLElement {
  const boxes = d.boxes ?? [];
  // The least sure first, so that the surest lie on top.
  const drawn = [...boxes].reverse().map((box) => {
    const { left, top, width, height } = placeOf(box);
    const at = { x: left, y: top, width, height, rx: 2 };
    return coloured(
      s(
        'g',
        { class: box.label === d.label ? 'found' : 'found beside' },
        s('title', {}, `${box.label} ${percent(box.score)}`),
        s('rect', { ...at, class: 'halo' }),
        s('rect', { ...at, class: 'edge' }),
      ),
      box.label,
    );
  });
  const names = boxes.slice(0, namedBoxes).map((box) => {
    const { left, top, classes } = nameOf(box);
    const name = h('span', { class: classes }, `${box.label} ${percent(box.score)}`);
    coloured(name, box.label);
    name.style.left = left;
    name.style.top = top;
    return name;
  });
  return h('div', { class: 'boxes', 'aria-hidden': 'true' }, s('svg', {}, ...drawn), ...names);
}

/** Which class lies where, each in its colour; the background stays as it is. */
function tinted(d: Detection, mask: Mask): HTMLElement {
  const drawn = stripesOf(mask).flatMap(({ place, x, y, length }) => {
    const label = d.shares?.[place]?.label;
    if (label === undefined || label === 'background') return [];
    return [coloured(s('rect', { x, y, width: length, height: 1 }), label)];
  });
  const size = { viewBox: `0 0 ${mask.width} ${mask.height}`, preserveAspectRatio: 'none' };
  return h('div', { class: 'boxes mask', 'aria-hidden': 'true' }, s('svg', size, ...drawn));
}

/** The thumbnail, with boxes or a mask where there are any. */
export function picture(d: Detection): HTMLElement {
  const name = `Picture ${d.sequence} of ${d.device}`;
  const image = h('img', {
    class: 'thumbnail',
    src: `/api/thumbnails/${d.id}`,
    alt: d.boxes ? `${name}: ${spokenBoxes(d)}` : name,
  });
  const over = d.boxes ? overlay(d) : d.mask && tinted(d, d.mask);
  return over ? h('div', { class: 'picture' }, image, over) : image;
}

/** A name, a bar as long as its share, and the share in words. */
function share(name: string, part: number): HTMLElement {
  const bar = h('span', { class: 'share-bar', 'aria-hidden': 'true' });
  bar.style.setProperty('--share', `${100 * part}%`);
  return h('li', {}, h('span', {}, name), bar, h('b', {}, percent(part)));
}

const plain = (name: string, value: string): HTMLElement =>
  h('li', {}, h('span', {}, name), h('b', {}, value));

/** Everything beyond label and score; nothing where there is no more. */
export function foundList(d: Detection): HTMLElement | null {
  if (!findsMore(d)) return null;
  const lines = [
    ...groupsOf(d.boxes ?? []).map((group) =>
      coloured(
        share(group.count === 1 ? group.label : `${group.label} × ${group.count}`, group.surest),
        group.label,
      ),
    ),
    ...(d.classes ?? []).map((one) => share(one.label, one.score)),
    ...[...(d.shares ?? [])]
      .sort((a, b) => b.share - a.share)
      .map((one) => coloured(share(one.label, one.share), one.label)),
    ...(d.numbers ?? [])
      .slice(0, listedNumbers)
      .map((one) => plain(one.name, `${figure(one.value)} ${one.unit ?? ''}`.trim())),
    ...(d.raw ?? []).map((one) => plain(one.name, one.shape.join(' × ') || 'one number')),
  ];
  const title = d.raw
    ? 'Outputs that nobody reads'
    : d.shares
      ? 'Of the picture'
      : d.classes
        ? 'Likeliest'
        : 'Found';
  const cut = d.boxes_cut_off;
  const unlisted = (d.numbers?.length ?? 0) - listedNumbers;
  return h(
    'section',
    { class: 'found-list' },
    h('h3', {}, title, d.boxes && d.boxes.length > 0 && h('b', {}, count(d.boxes.length))),
    lines.length === 0 ? h('p', { class: 'sub' }, 'Nothing.') : h('ul', {}, ...lines),
    unlisted > 0 && h('p', { class: 'sub' }, `and ${count(unlisted)} more`),
    cut !== undefined &&
      h('p', { class: 'sub' }, `${count(cut)} less sure ${cut === 1 ? 'one was' : 'ones were'} left out.`),
  );
}

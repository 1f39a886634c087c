// What the colours on the map mean, and the switch between score and mechanism.
import { capital } from './api';
import { clear, h } from './dom';
import { percent, short } from './format';
import { type MapView, shareLimits } from './map_view';
import { mechanismColour } from './palette';
import type { Layer } from './state';

function swatch(colour: string, text: string): HTMLElement {
  const box = h('i', { 'aria-hidden': 'true' });
  box.style.background = colour;
  return h('span', {}, box, text);
}

export class Legend {
  readonly root = h('details', { class: 'legend', open: innerWidth > 760 });
  private readonly byMechanism: HTMLInputElement;
  private readonly toggle: HTMLElement;

  constructor(
    private readonly view: MapView,
    checked: boolean,
    changed: (byMechanism: boolean) => void,
  ) {
    this.byMechanism = h('input', {
      type: 'checkbox',
      role: 'switch',
      checked,
      onchange: () => changed(this.byMechanism.checked),
    });
    this.toggle = h('label', { class: 'switch small' }, this.byMechanism, h('span', {}, 'by mechanism'));
  }

  /** `points`: the map shows single detections, not hexagons; `total`: how much it shows; `word`: for
   *  what is worth a report. */
  show(layer: Layer, points: boolean, total: number, mechanisms: string[], word: string): void {
    this.root.hidden = total === 0;
    const ramp = this.view.colours();
    if (layer === 'heat') {
      const steps = ramp.map((colour, i) => swatch(colour, i === 0 ? 'few' : i === 4 ? 'most' : ''));
      this.fill(`Where ${word} is`, false, steps);
    } else if (!points && layer === 'share') {
      const names = ['less', ...shareLimits.map((limit) => `from ${percent(limit)}`)];
      const steps = names.map((name, i) => swatch(ramp[i]!, name));
      this.fill(`${capital(word)}, share of pictures`, false, [swatch(this.view.quiet(), 'none'), ...steps]);
    } else if (!points) {
      const limits = [1, ...this.view.limits()];
      const name = (limit: number, i: number): string =>
        `${short(limit)}${i === limits.length - 1 ? '+' : ''}`;
      const cells = limits.map((limit, i) => swatch(ramp[i]!, name(limit, i)));
      this.fill(`${capital(word)} in a hexagon`, false, cells);
    } else if (this.byMechanism.checked) {
      const names = mechanisms.slice(0, 5).map((name) => swatch(mechanismColour(name), name));
      this.fill('Mechanism', true, names);
    } else {
      const scores = ['25', '50', '75', '100'].map((p, i) => swatch(ramp[i + 1]!, `≤ ${p} %`));
      this.fill(`${capital(word)}, by score`, true, [...scores, swatch(this.view.quiet(), 'none')]);
    }
  }

  private fill(title: string, toggled: boolean, swatches: HTMLElement[]): void {
    clear(
      this.root,
      h('summary', {}, title),
      toggled && this.toggle,
      h('div', { class: 'swatches' }, ...swatches),
    );
  }
}

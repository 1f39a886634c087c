// The network in a report: draws what the element #network holds as data, and says what is known of the cut that is chosen.
import { clear, h } from './dom';
import { bytes as human, percent } from './format';
import { type CutPlace, onDevice, type Topology } from './network/topology';
import { NetworkView } from './network/view';

function placeOf(cut: CutPlace): string {
  if (cut.mechanism !== 'split') return cut.mechanism;
  return `cut ${cut.index}${cut.alias === null ? '' : ` · ${cut.alias}`}`;
}

const tensors = (cut: CutPlace): string =>
  cut.crosses.length === 1 ? '1 tensor' : `${cut.crosses.length} tensors`;

function narrowest(cuts: CutPlace[]): CutPlace | null {
  const splits = cuts.filter((cut) => cut.mechanism === 'split');
  return splits.reduce<CutPlace | null>((best, cut) => (best && best.bytes <= cut.bytes ? best : cut), null);
}

function draw(place: HTMLElement, network: Topology): void {
  const all = network.layers.reduce((sum, layer) => sum + layer.madds, 0);
  const said = h('p', { class: 'net-said', role: 'status' });
  const tell = (cut: CutPlace): void => {
    const on = onDevice(cut, network.layers.length);
    const here = network.layers.reduce((sum, layer, i) => sum + (on[i] ? layer.madds : 0), 0);
    clear(
      said,
      h('b', {}, placeOf(cut)),
      ` · ${tensors(cut)}, ${human(cut.bytes)} as they are · ${percent(all > 0 ? here / all : 0)} of the work on the device · `,
      h('code', {}, `--cut ${cut.alias ?? cut.index}`),
      ` · ${cut.crosses.map((t) => network.tensors[t]!.name).join(', ')}`,
    );
  };
  let chosen = narrowest(network.cuts);
  const view = new NetworkView({
    look: (cut) => {
      if (cut ?? chosen) tell((cut ?? chosen)!);
    },
    choose: (cut) => {
      chosen = cut;
      view.show(null, chosen);
      tell(cut);
    },
    words: (cut) => `${placeOf(cut)} · ${human(cut.bytes)}`,
    spoken: (cut) => `${placeOf(cut)}, ${tensors(cut)}, ${human(cut.bytes)}`,
    price: (cut) => cut.bytes,
  });
  place.append(view.root, said);
  view.setTopology(network);
  view.show(null, chosen);
  if (chosen) tell(chosen);
}

const place = document.getElementById('network');
const data = document.getElementById('network-data')?.textContent;
if (place && data) draw(place, JSON.parse(data) as Topology);

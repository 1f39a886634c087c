// Where each figure comes from: the machines' and the link's own words, and what is known of the network.
import { clear, h } from '../dom';
import { bytes as human, count, percent } from '../format';
import type { Link, Machine, Machines, Network } from './answer';
import type { Question } from './question';
import { figure, mbps } from './scale';

type Row = [what: string, value: string, source: string];

const speed = (m: Machine): string =>
  m.left_out_error === undefined
    ? ''
    : `, off by ${percent(m.left_out_error)} in the median for a network it never saw`;

function deviceRows(edge: Machine, lifetime: number): Row[] {
  const rows: Row[] = [['Device', `${edge.title}; ${edge.engine}${speed(edge)}`, edge.source]];
  if (edge.power) {
    rows.push(['Power', `${edge.power.idle_w} W idle, ${edge.power.busy_w} W busy`, edge.power.source]);
  }
  if (edge.price) rows.push(['Price', `${edge.price.euro} € over ${lifetime} months`, edge.price.source]);
  return rows;
}

const measuredRow = (what: string, file: string | undefined): Row[] =>
  file === undefined ? [] : [[what, file, 'measured by fogline profile, a file of this server']];

function cloudRows(cloud: Machine): Row[] {
  const rows: Row[] = [['Cloud', `${cloud.title}; ${cloud.engine}${speed(cloud)}`, cloud.source]];
  if (cloud.rent) {
    const { euro_per_hour, vcpus, source } = cloud.rent;
    rows.push(['Rent', `${euro_per_hour} € an hour, ${vcpus} vCPU`, source]);
  }
  return rows;
}

const linkRow = (link: Link): Row => [
  'Link',
  `${link.title}: ${mbps(link.up_mbps)} up, ${mbps(link.down_mbps)} down, ${link.rtt_ms} ms, ` +
    `${figure(link.loss * 100)} % lost, ${link.euro_per_gb} € a GB`,
  link.source,
];

const networkRow = (network: Network): Row => [
  'Network',
  `${network.name}: ${count(network.layers.length)} layers, ${human(network.weight_bytes)} of weights, ` +
    `${figure(network.madds / 1e6)} M MAdds. ${network.description}`,
  network.calibrated_images === null
    ? 'not calibrated: exact codecs and estimated JPEG only (fogline calibrate finds smaller ones)'
    : `codecs calibrated on ${count(network.calibrated_images)} pictures`,
];

export class Sources {
  readonly root = h('div', { class: 'sources' });
  private said = '';

  show(machines: Machines, network: Network, asked: Question): void {
    const all = [...machines.devices, ...machines.clouds];
    const edge = all.find((m) => m.name === (asked.text.edge ?? 'jetson-nano'));
    const cloud = all.find((m) => m.name === (asked.text.cloud ?? 't2.micro'));
    const link = machines.links.find((l) => l.name === (asked.text.link ?? '4g'));
    const rows = [
      ...(edge ? deviceRows(edge, asked.number.lifetime ?? 12) : measuredRow('Device', asked.text.edge)),
      ...(cloud ? cloudRows(cloud) : measuredRow('Cloud', asked.text.cloud)),
      ...(link ? [linkRow(link)] : []),
      networkRow(network),
    ];
    const text = JSON.stringify(rows);
    if (this.said === text) return; // text that stays is not drawn again
    this.said = text;
    const lines = rows.map(([what, value, source]) =>
      h('tr', {}, h('th', { scope: 'row' }, what), h('td', {}, value, h('span', { class: 'sub' }, source))),
    );
    clear(this.root, h('table', { class: 'plain-text' }, h('tbody', {}, ...lines)));
  }
}

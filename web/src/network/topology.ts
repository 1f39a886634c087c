// A network as the server and reports tell it (schema Network in docs/openapi.yaml): layers, the tensors between them, and
// where it can be cut.

export type Mechanism = 'edge-only' | 'cloud-only' | 'split';

export interface Layer {
  name: string;
  op: string;
  madds: number;
  params: number;
  block: number;
}
/** `from`: the layer that writes it, -1 an input of the model; `to`: the layers that read it. */
export interface Tensor {
  name: string;
  shape: string;
  bytes: number;
  from: number;
  to: number[];
  output: boolean;
}
export interface CutPlace {
  index: number;
  name: string;
  alias: string | null;
  mechanism: Mechanism;
  bytes: number;
  crosses: number[];
  edge_layers: [number, number][];
}
export interface Topology {
  layers: Layer[];
  tensors: Tensor[];
  cuts: CutPlace[];
}

/** By layer: whether it is on the device. */
export function onDevice(cut: CutPlace, layers: number): boolean[] {
  const on = new Array<boolean>(layers).fill(false);
  for (const [first, last] of cut.edge_layers) on.fill(true, first, last + 1);
  return on;
}

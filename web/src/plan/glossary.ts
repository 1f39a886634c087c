// The planner's terms, for those who meet them here first.
export const glossary: [term: string, words: string][] = [
  [
    'Cut',
    'A place to divide the network: what lies before it runs on the device, the rest in the cloud, and the tensors between are sent.',
  ],
  ['split1 … split14', 'The cuts of MobileNetV2 that the paper measured, by its own numbers.'],
  [
    'edge-only, cloud-only',
    'The two ends: all of the network on the device, which sends the verdict; or none of it, and the picture is sent.',
  ],
  [
    'Codec',
    'How a tensor travels: f32 as it is, f16 in half, q8 to q2 in so many bits a value, measured on pictures; jpeg:50 the picture at that quality.',
  ],
  [
    'Agreement',
    'Share of pictures of which the divided network, with this codec, says what the whole one says.',
  ],
  ['p95', 'Nineteen of twenty pictures are faster.'],
  ['Tie', 'Costs as much as the cheapest, as far as the machines’ times are known.'],
  [
    'Early exit',
    'A place at which the network may already be sure of a picture, so that the rest of it is left out.',
  ],
  ['MAdds', 'Multiplications with an addition, the usual measure of a network’s work.'],
];

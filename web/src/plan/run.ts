// The lines that run a plan, word for word: `fogline edge` on the device, `fogline cloud` behind the broker, and what the
// services of the packages read in their place.
import type { Candidate } from './answer';
import { type Question, quote } from './question';

/** What only the reader knows. */
export interface Places {
  broker: string;
  device: string;
  source: string;
}
export const somewhere: Places = { broker: 'mqtt://broker:1883', device: 'cam-1', source: '/dev/video0' };

export interface RunLines {
  edge: string;
  cloud: string;
  edgeEnv: string;
  cloudEnv: string;
}

/** `model`: the file's name without ".onnx". */
export function runLines(c: Candidate, model: string, asked: Question, places: Places): RunLines {
  const rate = String(asked.number.rate ?? 1);
  const flags = (file: string): string[] => [
    `--model ${quote(file)}`,
    `--route ${quote(c.route)}`,
    `--device ${places.device.replace(/[^\w.-]+/g, '-').slice(0, 64)}`, // all that a device's name may be
    `--source ${quote(places.source)}`,
    `--rate ${rate}`,
  ];
  const installed = `/usr/share/fogline/models/${model}.onnx`;
  const services = places.broker.replace(/^mqtt:/, 'mqtts:').replace(/:1883$/, '');
  return {
    edge: ['fogline edge', ...flags(`${model}.onnx`), `--broker ${quote(places.broker)}`].join(' '),
    cloud: `fogline cloud --models . --broker ${quote(places.broker)} --http 127.0.0.1:8080`,
    // systemd divides these at blanks and knows no quotes there.
    edgeEnv: `FOGLINE_BROKER=${services}\nFOGLINE_FLAGS=${flags(installed).join(' ').replaceAll("'", '')} --spool spool`,
    cloudEnv: `FOGLINE_BROKER=${services}\nFOGLINE_FLAGS=--http 127.0.0.1:8080`,
  };
}

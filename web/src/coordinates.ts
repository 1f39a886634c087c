// Coordinates as people write them.

export interface Place {
  lat: number;
  lon: number;
}

const number = String.raw`[+-]?\d+(?:[.,]\d+)?`;
const pair = String.raw`([+-]?\d+(?:\.\d+)?)\s*[,;\s]\s*([+-]?\d+(?:\.\d+)?)`;
const plain = new RegExp(`^${pair}$`, 'u');
const geoAddress = new RegExp(`^geo:${pair}(?:[?;,].*)?$`, 'u');
const decimalCommas = /^([+-]?\d+,\d+)\s*[;\s]\s*([+-]?\d+,\d+)$/u;
// Degrees, minutes and seconds, with a hemisphere before or behind each.
const angle = String.raw`(${number})\s*°?\s*(?:(${number})\s*['′’])?\s*(?:(${number})\s*(?:["″”]|''))?`;
const before = new RegExp(String.raw`^([NSEWO])\s*${angle}[\s,;]*([NSEWO])\s*${angle}$`, 'iu');
const behind = new RegExp(String.raw`^${angle}\s*([NSEWO])[\s,;]*${angle}\s*([NSEWO])$`, 'iu');

const valid = (lat: number, lon: number): Place | null =>
  Number.isFinite(lat) && Number.isFinite(lon) && Math.abs(lat) <= 90 && Math.abs(lon) <= 180
    ? { lat, lon }
    : null;
const value = (text: string | undefined): number => Number((text ?? '0').replace(',', '.'));

/** "47.37, 8.54", "47,37; 8,54", "47°22′12″N 8°32′30″E", "8.54 E, 47.37 N", "geo:47.37,8.54"; null for anything else. */
export function parsePlace(text: string): Place | null {
  const trimmed = text.trim();
  const simple = plain.exec(trimmed) ?? geoAddress.exec(trimmed) ?? decimalCommas.exec(trimmed);
  if (simple) return valid(value(simple[1]), value(simple[2]));
  const first = before.exec(trimmed);
  const found = first ?? behind.exec(trimmed);
  if (!found) return null;
  const letterAt = first ? 0 : 3;
  const angleAt = first ? 1 : 0;
  const one = (at: number): { axis: string; degrees: number } => {
    const letter = found[at + letterAt]!.toUpperCase();
    const [whole, minutes, seconds] = [0, 1, 2].map((i) => value(found[at + angleAt + i]));
    const degrees = whole! + minutes! / 60 + seconds! / 3600;
    const back = letter === 'S' || letter === 'W';
    return { axis: letter === 'N' || letter === 'S' ? 'lat' : 'lon', degrees: back ? -degrees : degrees };
  };
  const [a, b] = [one(1), one(5)];
  if (a.axis === b.axis) return null;
  return a.axis === 'lat' ? valid(a.degrees, b.degrees) : valid(b.degrees, a.degrees);
}

// The smallest PMTiles archive (version 3, docs.protomaps.com/pmtiles): one grey raster tile for the whole world.
import * as zlib from 'node:zlib';

const { crc32, deflateSync } = zlib;

/** CRC-32, where this Node.js has none of its own. */
function checksum(bytes) {
  if (crc32) return crc32(bytes);
  let c = ~0;
  for (const byte of bytes) {
    c ^= byte;
    for (let i = 0; i < 8; i += 1) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
  }
  return ~c >>> 0;
}

function png(size) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(checksum(body) >>> 0, body.length + 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header[8] = 8; // bits; colour type 0: grey
  const rows = Buffer.alloc(size * (size + 1), 0xb0);
  for (let y = 0; y < size; y += 1) rows[y * (size + 1)] = 0;
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

const varint = (n) => {
  const out = [];
  while (n > 127) { out.push((n & 127) | 128); n >>>= 7; }
  return [...out, n];
};

export function tinyArchive() {
  const tile = png(256);
  const directory = Buffer.from([1, 0, 1, ...varint(tile.length), 1].flat()); // entries, id, run, length, offset + 1
  const metadata = Buffer.from('{}');
  const header = Buffer.alloc(127);
  header.write('PMTiles');
  header[7] = 3;
  const sizes = [127, directory.length, 127 + directory.length, metadata.length, 127 + directory.length + metadata.length, 0,
    127 + directory.length + metadata.length, tile.length, 1, 1, 1];
  sizes.forEach((value, i) => header.writeBigUInt64LE(BigInt(value), 8 + 8 * i));
  header[96] = 1; // clustered
  header[97] = 1; // directories: not compressed
  header[98] = 1; // tiles: not compressed
  header[99] = 2; // PNG
  header[100] = 0; // zoom levels
  header[101] = 0;
  const edges = [-1800000000, -850000000, 1800000000, 850000000];
  edges.forEach((value, i) => header.writeInt32LE(value, 102 + 4 * i));
  return Buffer.concat([header, directory, metadata, tile]);
}

// The same hexagons as src/store/hexgrid.h, so that live detections fall into the cells that the server counted.

const maxLat = 85.05112877980659;
export const maxLevel = 20;

export function mercator(lat: number, lon: number): [number, number] {
  const phi = (Math.max(-maxLat, Math.min(maxLat, lat)) * Math.PI) / 180;
  return [lon / 360 + 0.5, 0.5 - Math.asinh(Math.tan(phi)) / (2 * Math.PI)];
}

export function unproject(x: number, y: number): [number, number] {
  return [x * 360 - 180, (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI];
}

/** Centre of the cell of a position, in the Mercator square; columns wrap at the 180th meridian. */
export function cellAt(level: number, lat: number, lon: number): { key: string; x: number; y: number } {
  const columns = 16 * 2 ** level;
  const width = 1 / columns;
  const rowHeight = (width * Math.sqrt(3)) / 2;
  const [x, y] = mercator(lat, lon);
  const low = Math.floor(y / rowHeight);
  let best = { column: 0, row: 0, distance: Infinity };
  for (const row of [low, low + 1]) {
    const shift = row & 1 ? 0.5 : 0;
    const column = Math.round(x * columns - shift);
    const dx = (x * columns - shift - column) * width;
    const dy = y - row * rowHeight;
    const distance = dx * dx + dy * dy;
    if (distance < best.distance) best = { column, row, distance };
  }
  const column = ((best.column % columns) + columns) % columns;
  return {
    key: `${column},${best.row}`,
    x: (column + (best.row & 1 ? 0.5 : 0)) * width,
    y: best.row * rowHeight,
  };
}

/** The six corners of a hexagon round a centre, closed, as longitudes and latitudes. */
export function corners(level: number, x: number, y: number): [number, number][] {
  const radius = (1 / (16 * 2 ** level) / Math.sqrt(3)) * 0.96; // a thin gap between neighbours
  const ring: [number, number][] = [];
  for (let i = 0; i <= 6; i += 1) {
    const angle = ((60 * i - 30) * Math.PI) / 180;
    ring.push(
      unproject(x + radius * Math.cos(angle), Math.max(-0.2, Math.min(1.2, y + radius * Math.sin(angle)))),
    );
  }
  return ring;
}

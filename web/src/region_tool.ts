// Drawing a region on the map, reading its pictures, and keeping what is said of it up to date.
import { type Detection, isPlaced } from './api';
import type { MapView } from './map_view';
import { isInside, mostCorners, type Region } from './region';
import { RegionPanel } from './region_panel';
import { csv, geoJson, type RegionRows, regionRows, save } from './region_rows';
import { soon } from './soon';
import type { Filter } from './state';

/** What the page knows and the tool asks for. */
export interface RegionHost {
  filter: () => Filter;
  word: () => string;
  passes: (d: Detection) => boolean;
  /** What is shown has changed: the address says so from now on. */
  changed: (region: Region | null, split: number | null) => void;
  pick: (d: Detection) => void;
  print: (region: Region, rows: RegionRows, split: number | null) => void;
}

export class RegionTool {
  readonly panel: RegionPanel;
  private corners: Region = [];
  private isDrawing = false;
  private rows: RegionRows | null = null;
  private asking: AbortController | null = null;
  private readonly drawSoon = soon(500, () => this.draw());

  constructor(
    private readonly view: MapView,
    private readonly host: RegionHost,
    private region: Region | null,
    private split: number | null,
  ) {
    this.panel = new RegionPanel({
      close: () => this.close(),
      geoJson: () => this.rows && save('region.geojson', 'application/geo+json', geoJson(this.rows.rows)),
      csv: () => this.rows && save('region.csv', 'text/csv', csv(this.rows.rows)),
      link: () => navigator.clipboard.writeText(location.href),
      print: () => this.region && this.rows && this.host.print(this.region, this.rows, this.split),
      pick: (d) => this.host.pick(d),
      split: (at) => {
        this.split = at;
        this.host.changed(this.region, this.split);
        this.draw();
      },
    });
  }

  /** Whether somebody is drawing: Escape is for that then. */
  get drawing(): boolean {
    return this.isDrawing;
  }

  begin(): void {
    this.asking?.abort();
    this.region = null;
    this.rows = null;
    this.corners = [];
    this.isDrawing = true;
    this.view.drawCorners((lon, lat, isAt) => this.add(lon, lat, isAt));
    this.drawCorners();
  }

  close(): void {
    this.asking?.abort();
    this.stopDrawing();
    this.region = null;
    this.rows = null;
    this.split = null;
    this.panel.hide();
    this.view.drawRegion(null, []);
    this.host.changed(null, null);
  }

  /** Reads the pictures: at the start, and where filters change. */
  async load(): Promise<void> {
    const { region } = this;
    if (region === null) return;
    this.asking?.abort();
    const mine = new AbortController();
    this.asking = mine;
    this.view.drawRegion(region, []);
    if (this.rows === null) this.panel.loading();
    try {
      this.rows = await regionRows(region, this.host.filter(), mine.signal);
      this.draw();
    } catch (error) {
      if (!mine.signal.aborted) this.panel.failed(error instanceof Error ? error.message : String(error));
    }
  }

  arrive(d: Detection): void {
    if (this.region === null || this.rows === null || d.id <= this.rows.lastId) return;
    this.rows.lastId = d.id;
    if (!isPlaced(d) || !this.host.passes(d) || !isInside(this.region, d.lat, d.lon)) return;
    this.rows.rows.push(d);
    this.drawSoon();
  }

  private add(lon: number, lat: number, isAt: (lon: number, lat: number) => boolean): void {
    if (this.corners.length >= 3 && isAt(...this.corners[0]!)) {
      this.finish();
      return;
    }
    this.corners.push([lon, lat]);
    if (this.corners.length >= mostCorners) this.finish();
    else this.drawCorners();
  }

  private finish(): void {
    const corners = this.corners;
    this.stopDrawing();
    this.region = corners;
    this.host.changed(this.region, this.split);
    void this.load();
  }

  private stopDrawing(): void {
    this.isDrawing = false;
    this.corners = [];
    this.view.drawCorners(null);
  }

  private drawCorners(): void {
    this.view.drawRegion(null, this.corners);
    const undo = (): void => {
      this.corners.pop();
      this.drawCorners();
    };
    this.panel.drawing(this.corners.length, undo, () => this.finish());
  }

  private draw(): void {
    if (this.rows) this.panel.show(this.rows, this.split, this.host.word());
  }
}

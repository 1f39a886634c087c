/** Parts of the page that wait while they are out of sight: a slider that is dragged pays for what is seen, and the rest
 *  follows when it rests. */
export class Parts {
  private readonly parts = new Map<Element, { seen: boolean; draw: (() => void) | null }>();
  private readonly sight = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        const part = this.parts.get(entry.target);
        if (!part) continue;
        part.seen = entry.isIntersecting;
        if (part.seen) this.settle(entry.target);
      }
    },
    { rootMargin: '120px' },
  );
  private resting: ReturnType<typeof setTimeout> | undefined;

  /** Draws now when `root` is in sight, else when it comes there. */
  draw(root: Element, draw: () => void): void {
    const part = this.parts.get(root);
    if (part) {
      part.draw = draw;
      if (!part.seen) return;
    } else {
      this.parts.set(root, { seen: true, draw });
      this.sight.observe(root);
    }
    this.settle(root);
  }

  /** Draws all that waits, a little later; `then` follows it. */
  settleSoon(then: () => void): void {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      for (const root of this.parts.keys()) this.settle(root);
      then();
    }, 120);
  }

  private settle(root: Element): void {
    const part = this.parts.get(root);
    const draw = part?.draw;
    if (!part || !draw) return;
    part.draw = null;
    draw();
  }
}

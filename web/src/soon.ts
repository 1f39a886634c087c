/** Calls `work` once, `ms` after the first of any number of calls: many detections a second are drawn together. */
export function soon(ms: number, work: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      work();
    }, ms);
  };
}

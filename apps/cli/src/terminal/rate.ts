import type { ProgressEvent } from "@espalier/core";

/** Progress of one task over time: rate from a sliding window, so that a slow start is forgotten. */
export class TaskRate {
  #startedAt: number | undefined;
  readonly #window: { at: number; done: number }[] = [];
  last: ProgressEvent | undefined;

  /** @param at milliseconds */
  update(event: ProgressEvent, at: number): void {
    this.last = event;
    this.#startedAt ??= at;
    this.#window.push({ at, done: event.done });
    while (this.#window.length > 2 && at - this.#window[0]!.at > 15_000) this.#window.shift();
  }

  /** Units per second over the window; undefined until two reports are apart. */
  get perSecond(): number | undefined {
    const first = this.#window[0];
    const last = this.#window.at(-1);
    if (!first || !last || last.at - first.at < 200 || last.done <= first.done) return undefined;
    return ((last.done - first.done) * 1000) / (last.at - first.at);
  }

  /** Seconds from the first report to the last. */
  get seconds(): number {
    return ((this.#window.at(-1)?.at ?? 0) - (this.#startedAt ?? 0)) / 1000;
  }

  /** Seconds until `total` at the present rate. */
  get secondsLeft(): number | undefined {
    const rate = this.perSecond;
    if (!rate || this.last?.total === undefined) return undefined;
    return Math.max(0, (this.last.total - this.last.done) / rate);
  }

  get finished(): boolean {
    return this.last?.total !== undefined && this.last.done >= this.last.total;
  }
}

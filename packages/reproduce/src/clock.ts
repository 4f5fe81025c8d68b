import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { atomicWrite } from "@espalier/core/node";

/** Seconds of each part of a reproduction, over all the times it was started. */
export class Clock {
  readonly #path: string;
  readonly #seconds: Map<string, number>;
  readonly #started = performance.now();
  readonly #before: number;

  private constructor(path: string, parts: Record<string, number>, before: number) {
    this.#path = path;
    this.#seconds = new Map(Object.entries(parts));
    this.#before = before;
  }

  static async open(directory: string): Promise<Clock> {
    const path = join(directory, "clock.json");
    const text = await readFile(path, "utf8").catch(() => undefined);
    const saved = text === undefined ? { parts: {}, total: 0 } : (JSON.parse(text) as { parts: Record<string, number>; total: number });
    return new Clock(path, saved.parts, saved.total);
  }

  /** Wall seconds since the first line, earlier starts included. */
  get elapsedSeconds(): number {
    return this.#before + (performance.now() - this.#started) / 1000;
  }

  seconds(part: string): number {
    return this.#seconds.get(part) ?? 0;
  }

  /** Adds the time of some work to a part and makes it durable. */
  async measure<T>(part: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#seconds.set(part, this.seconds(part) + (performance.now() - start) / 1000);
      await atomicWrite(this.#path, JSON.stringify({ parts: Object.fromEntries(this.#seconds), total: this.elapsedSeconds }));
    }
  }
}

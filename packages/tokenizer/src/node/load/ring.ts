import type { Batch } from "../../data/batch.ts";

/** A batch on its way, with the documents of its rows where those were asked for. */
export interface LoadedBatch extends Batch {
  /** Which document of its row each input belongs to `[B, T]`: `documentIndices`. */
  documents?: Int32Array;
}

/** Shape of the memory between the thread that reads and the one that trains. */
export interface RingLayout {
  /** Batches that fit, a power of two: counts wrap around. */
  slots: number;
  /** B * T */
  size: number;
  withDocuments: boolean;
}

const READ = 0;
const TAKEN = 1;
const STOPPED = 2;
const MESSAGE_LENGTH = 3;
const CONTROLS = 4;
const MESSAGE_BYTES = 4096;

/**
 * Batches in shared memory: one thread fills slots, another takes them in the same order, and either sleeps while the
 * other is behind. Counts of batches wrap around at 2^32; only their difference matters.
 */
export class Ring {
  readonly memory: SharedArrayBuffer;
  readonly #control: Int32Array;
  readonly #message: Uint8Array;
  readonly #slots: LoadedBatch[];

  /** @param memory of the other thread's ring; made when absent */
  constructor({ slots, size, withDocuments }: RingLayout, memory?: SharedArrayBuffer) {
    const arrays = withDocuments ? 3 : 2;
    this.memory = memory ??= new SharedArrayBuffer(4 * CONTROLS + MESSAGE_BYTES + slots * size * 4 * arrays);
    this.#control = new Int32Array(memory, 0, CONTROLS);
    this.#message = new Uint8Array(memory, 4 * CONTROLS, MESSAGE_BYTES);
    const array = (slot: number, i: number) => new Int32Array(memory, 4 * CONTROLS + MESSAGE_BYTES + (slot * arrays + i) * size * 4, size);
    this.#slots = Array.from({ length: slots }, (_, slot) => ({ tokens: array(slot, 0), targets: array(slot, 1), ...(withDocuments && { documents: array(slot, 2) }) }));
  }

  /** Fills the next slot once one is free; false when the taker has stopped. */
  put(fill: (batch: LoadedBatch) => void): boolean {
    const read = Atomics.load(this.#control, READ);
    for (;;) {
      if (Atomics.load(this.#control, STOPPED) !== 0) return false;
      const taken = Atomics.load(this.#control, TAKEN);
      if (((read - taken) | 0) < this.#slots.length) break;
      Atomics.wait(this.#control, TAKEN, taken);
    }
    fill(this.#slots[(read >>> 0) % this.#slots.length]!);
    Atomics.add(this.#control, READ, 1);
    Atomics.notify(this.#control, READ);
    return true;
  }

  /** Tells the taker why no more batches come. */
  fail(message: string): void {
    const bytes = Buffer.from(message).subarray(0, MESSAGE_BYTES);
    this.#message.set(bytes);
    Atomics.store(this.#control, MESSAGE_LENGTH, bytes.length);
    Atomics.store(this.#control, STOPPED, 1);
    Atomics.notify(this.#control, READ);
  }

  /**
   * The oldest batch, waited for; `undefined` after `timeoutMs` without one. It stays until `release`.
   *
   * @throws {Error} with the message of `fail`
   */
  take(timeoutMs: number): LoadedBatch | undefined {
    const taken = Atomics.load(this.#control, TAKEN);
    for (;;) {
      const read = Atomics.load(this.#control, READ);
      if (read !== taken) return this.#slots[(taken >>> 0) % this.#slots.length]!;
      if (Atomics.load(this.#control, STOPPED) !== 0) throw new Error(this.#failure());
      if (Atomics.wait(this.#control, READ, read, timeoutMs) === "timed-out") return undefined;
    }
  }

  /** Gives the slot of the batch last taken back. */
  release(): void {
    Atomics.add(this.#control, TAKEN, 1);
    Atomics.notify(this.#control, TAKEN);
  }

  /** Ends the filling thread's work. */
  stop(): void {
    Atomics.store(this.#control, STOPPED, 1);
    Atomics.notify(this.#control, TAKEN);
  }

  #failure(): string {
    return new TextDecoder().decode(this.#message.slice(0, Atomics.load(this.#control, MESSAGE_LENGTH))); // a copy: decoders refuse shared memory
  }
}

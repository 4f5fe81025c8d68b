/** Memory is given in steps of this, so that one batch's fits the next. */
const STEP_BYTES = 1 << 18;
/** A batch of one long line must not hold its memory for ever. */
const MAX_KEPT_BYTES = 16 << 20;

/**
 * Memory that is used again and again: what is allocated for every batch is collected late, in long pauses, and each page of
 * it costs the system a fault.
 */
export class MemoryPool {
  readonly #free: ArrayBuffer[] = [];

  /** At least so many bytes, not zeroed. */
  take(bytes: number): ArrayBuffer {
    const found = this.#free.findLastIndex(({ byteLength }) => byteLength >= bytes);
    if (found >= 0) return this.#free.splice(found, 1)[0]!;
    return Buffer.allocUnsafeSlow(Math.ceil((bytes + 1) / STEP_BYTES) * STEP_BYTES).buffer;
  }

  /** Whoever gives memory back uses it no more. */
  give(memory: ArrayBuffer): void {
    if (memory.byteLength > 0 && memory.byteLength <= MAX_KEPT_BYTES) this.#free.push(memory);
  }
}

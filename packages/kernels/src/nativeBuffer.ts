import { DeviceError } from "@espalier/core";
import type { DeviceBuffer } from "@espalier/graph";
import type { Addon, Handle } from "./addon.ts";

/** Zero-filled native memory, 64-byte aligned. A program that it is bound to keeps it alive after `free`. */
export class NativeBuffer implements DeviceBuffer {
  readonly bytes: number;
  readonly #addon: Addon;
  readonly #handle: Handle;
  #freed = false;

  constructor(addon: Addon, executor: Handle, bytes: number) {
    this.bytes = bytes;
    this.#addon = addon;
    try {
      this.#handle = addon.allocate(executor, bytes);
    } catch (cause) {
      throw new DeviceError(`kernels: allocate: ${bytes} bytes: ${(cause as Error).message}`, { cause });
    }
  }

  write(source: ArrayBufferView, byteOffset = 0): void {
    this.#expectRoom("write", source.byteLength, byteOffset);
    this.#addon.write(this.#handle, bytesOf(source), byteOffset);
  }

  read(target: ArrayBufferView, byteOffset = 0): void {
    this.#expectRoom("read", target.byteLength, byteOffset);
    this.#addon.read(this.#handle, bytesOf(target), byteOffset);
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#addon.freeBuffer(this.#handle);
  }

  /** For the addon: refuses a freed buffer. */
  handle(): Handle {
    if (this.#freed) throw new DeviceError("kernels: the buffer has been freed. Allocate another one.");
    return this.#handle;
  }

  #expectRoom(where: string, length: number, byteOffset: number): void {
    this.handle();
    if (byteOffset < 0 || byteOffset + length > this.bytes) {
      throw new DeviceError(
        `kernels: ${where}: bytes ${byteOffset} to ${byteOffset + length}, expected a part of the buffer's ${this.bytes}. Correct offset or length.`,
      );
    }
  }
}

/** Any view, DataView included, as bytes. */
function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

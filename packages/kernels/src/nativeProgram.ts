import { CancelledError, DeviceError } from "@espalier/core";
import { type DeviceBuffer, type LoadedProgram, type OpProfile, type PlacedTensor, type Program, profileByOp } from "@espalier/graph";
import { type Addon, type Handle, type NativeError, status } from "./addon.ts";
import { fromBf16 } from "./bf16Storage.ts";
import { NativeBuffer } from "./nativeBuffer.ts";
import { packProgram, storageOf } from "./packProgram.ts";

/** An error of the addon as one of ours, with the op named; the original is its cause. */
function translated(error: unknown, program: Program): Error {
  const native = error as NativeError;
  const instruction = native.instruction >= 0 ? program.instructions[native.instruction] : undefined;
  const where = instruction ? `kernels: instruction ${native.instruction} (${instruction.op})` : "kernels";
  const Kind = native.status === status.cancelled ? CancelledError : DeviceError;
  return new Kind(`${where}: ${native.message}`, { cause: error });
}

/** A program on the native executor. `cancel` is its own; the rest is the seam of package graph. */
export class NativeProgram implements LoadedProgram {
  readonly program: Program;
  /** Bytes that its ops need beside the arena (packed panels, partial sums); shared by the programs of an executor. */
  readonly scratchBytes: number;
  readonly #addon: Addon;
  readonly #handle: Handle;
  readonly #unbound: Set<string>;
  readonly #bf16: ReadonlySet<number>;
  #freed = false;

  /** @throws {DeviceError} when an op, an attribute or a size is not what the native registry expects */
  constructor(addon: Addon, executor: Handle, program: Program, bf16: ReadonlySet<number> = new Set()) {
    this.program = program;
    this.#addon = addon;
    this.#bf16 = bf16;
    this.#unbound = new Set(program.tensors.filter((tensor) => tensor.region === "owned").map(({ name }) => name));
    try {
      this.#handle = addon.load(executor, packProgram(program, bf16));
      this.scratchBytes = addon.scratchBytes(this.#handle);
    } catch (error) {
      throw translated(error, program);
    }
  }

  bind(name: string, buffer: DeviceBuffer): void {
    this.#expectAlive("bind");
    const { tensors } = this.program;
    const tensor = tensors.find((candidate) => candidate.region === "owned" && candidate.name === name);
    if (!tensor) {
      const names = tensors.filter(({ region }) => region === "owned").map((owned) => owned.name);
      throw new DeviceError(`kernels: bind: no owned tensor "${name}", expected one of ${names.join(", ") || "none"}. Correct the name.`);
    }
    if (!(buffer instanceof NativeBuffer)) {
      throw new DeviceError(`kernels: bind: ${name}: the buffer is of another executor. Allocate it with this one.`);
    }
    if (buffer.bytes !== tensor.bytes) {
      throw new DeviceError(`kernels: bind: ${name}: the buffer has ${buffer.bytes} bytes, expected ${tensor.bytes}. Allocate the tensor's size.`);
    }
    tensors.forEach((view, index) => {
      if (storageOf(view, tensors) === tensor) this.#addon.bind(this.#handle, index, buffer.handle());
    });
    this.#unbound.delete(name);
  }

  async run(runtime: Uint8Array, output: Uint8Array): Promise<void> {
    this.#expectAlive("run");
    if (this.#unbound.size > 0) {
      throw new DeviceError(`kernels: run: not bound: ${[...this.#unbound].join(", ")}. Bind every owned tensor before the first run.`);
    }
    try {
      await this.#addon.run(this.#handle, runtime, output);
    } catch (error) {
      throw translated(error, this.program);
    }
  }

  /** Asks the runs under way and waiting to end; their promises reject with a CancelledError. Later runs work. */
  cancel(): void {
    if (!this.#freed) this.#addon.cancel(this.#handle);
  }

  readTensor(name: string): Float32Array | Int32Array {
    this.#expectAlive("readTensor");
    const index = this.program.tensors.findLastIndex((tensor) => tensor.name === name);
    const tensor: PlacedTensor | undefined = this.program.tensors[index];
    if (!tensor) throw new DeviceError(`kernels: readTensor: no tensor "${name}" in the program. Keep it when planning.`);
    const half = this.#bf16.has(tensor.id);
    const values = half ? new Uint16Array(tensor.bytes / 2) : tensor.dtype === "f32" ? new Float32Array(tensor.bytes / 4) : new Int32Array(tensor.bytes / 4);
    try {
      this.#addon.readTensor(this.#handle, index, values);
    } catch (error) {
      throw translated(error, this.program);
    }
    return values instanceof Uint16Array ? fromBf16(values) : values;
  }

  profile(): OpProfile[] {
    this.#expectAlive("profile");
    const { instructions } = this.program;
    const seconds = new Float64Array(instructions.length);
    const calls = new BigInt64Array(instructions.length);
    this.#addon.profile(this.#handle, seconds, calls);
    return profileByOp(this.program, Array.from(calls, Number), seconds);
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#addon.freeProgram(this.#handle);
  }

  #expectAlive(where: string): void {
    if (this.#freed) throw new DeviceError(`kernels: ${where}: the program has been freed. Load it again.`);
  }
}

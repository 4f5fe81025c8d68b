import { ConfigError, DeviceError } from "@espalier/core";
import type { DeviceBuffer, Executor, LoadedProgram, OpProfile, PlacedTensor, Program } from "../types.ts";
import { profileByOp } from "../profile.ts";
import type { ReferenceCall, ReferenceOp, Values } from "./call.ts";
import { referenceTable } from "./table.ts";

/** Offsets and sizes of a program count 4 bytes an element; the reference holds a double for each. */
const ELEMENT_BYTES = 4;

type HostArray = Float32Array | Int32Array | Float64Array;

/** Memory in double precision. Reads and writes convert; a `Float64Array` passes through unrounded. */
export class ReferenceBuffer implements DeviceBuffer {
  readonly bytes: number;
  readonly values: Float64Array;

  constructor(bytes: number) {
    this.bytes = bytes;
    this.values = new Float64Array(Math.ceil(bytes / ELEMENT_BYTES));
  }

  /** @param byteOffset  in 4-byte elements, whatever the type of `source` */
  write(source: ArrayBufferView, byteOffset = 0): void {
    const host = hostArray("write", source);
    this.#expectInside("write", host.length, byteOffset);
    this.values.set(host, byteOffset / ELEMENT_BYTES);
  }

  /** @param byteOffset  in 4-byte elements, whatever the type of `target` */
  read(target: ArrayBufferView, byteOffset = 0): void {
    const host = hostArray("read", target);
    this.#expectInside("read", host.length, byteOffset);
    const start = byteOffset / ELEMENT_BYTES;
    host.set(this.values.subarray(start, start + host.length));
  }

  free(): void {}

  #expectInside(what: string, length: number, byteOffset: number): void {
    const start = byteOffset / ELEMENT_BYTES;
    if (start >= 0 && Number.isInteger(start) && start + length <= this.values.length) return;
    throw new DeviceError(
      `reference: ${what}: found ${length} elements at byte ${byteOffset}, expected them inside ${this.bytes} bytes. ` +
        "Correct the offset or the length.",
    );
  }
}

function hostArray(what: string, view: ArrayBufferView): HostArray {
  if (view instanceof Float32Array || view instanceof Int32Array || view instanceof Float64Array) return view;
  throw new DeviceError(
    `reference: ${what}: found a ${view.constructor.name}, expected Float32Array, Int32Array or Float64Array. ` +
      "The reference stores numbers, not bytes: view the bytes as one of these.",
  );
}

/** A loaded program that can also hand out its values unrounded. */
export class ReferenceProgram implements LoadedProgram {
  readonly program: Program;
  readonly #arena: Float64Array;
  readonly #runtime: Float64Array;
  readonly #output: Float64Array;
  readonly #values: (Values | undefined)[];
  readonly #calls: { run: ReferenceOp; call: ReferenceCall }[] = [];
  readonly #runs: Float64Array;
  readonly #seconds: Float64Array;

  constructor(program: Program) {
    this.program = program;
    this.#runs = new Float64Array(program.instructions.length);
    this.#seconds = new Float64Array(program.instructions.length);
    this.#arena = new Float64Array(program.arenaBytes / ELEMENT_BYTES);
    this.#runtime = new Float64Array(program.runtimeBytes / ELEMENT_BYTES);
    this.#output = new Float64Array(program.outputBytes / ELEMENT_BYTES);
    const regions = { arena: this.#arena, runtime: this.#runtime, output: this.#output };
    this.#values = program.tensors.map((tensor) =>
      tensor.region === "owned" ? undefined : { data: part(regions[tensor.region], tensor), shape: tensor.shape },
    );
  }

  bind(name: string, buffer: DeviceBuffer): void {
    const tensor = this.#tensor(name);
    if (tensor.region !== "owned" || !(buffer instanceof ReferenceBuffer) || buffer.bytes !== tensor.bytes) {
      throw new DeviceError(
        `reference: bind: ${name}: found a buffer of ${buffer.bytes} bytes for a tensor of region ${tensor.region}, ` +
          `expected a reference buffer of ${tensor.bytes} bytes for an owned tensor. Allocate it with this executor.`,
      );
    }
    this.#values[tensor.id] = { data: buffer.values, shape: tensor.shape };
    this.#calls.length = 0;
  }

  async run(runtime: Uint8Array, output: Uint8Array): Promise<void> {
    const { runtimeBytes, outputBytes, tensors } = this.program;
    expectBytes("runtime", runtime, runtimeBytes);
    expectBytes("output", output, outputBytes);
    if (this.#calls.length === 0) this.#resolve();
    // Whatever reads an intermediate before it is written shows itself.
    this.#arena.fill(NaN);
    for (const tensor of tensors) {
      if (tensor.region === "runtime") this.#values[tensor.id]!.data.set(hostView(runtime, tensor));
    }
    this.#calls.forEach(({ run, call }, i) => {
      const start = performance.now();
      run(call);
      this.#runs[i]!++;
      this.#seconds[i]! += (performance.now() - start) / 1000;
    });
    for (const tensor of tensors) {
      if (tensor.region === "output") hostView(output, tensor).set(this.#values[tensor.id]!.data);
    }
  }

  readTensor(name: string): Float32Array | Int32Array {
    const values = this.readFloat64(name);
    return this.#tensor(name).dtype === "i32" ? Int32Array.from(values) : Float32Array.from(values);
  }

  /** Unrounded value of an output, an owned tensor or a kept intermediate after the last run (a copy). */
  readFloat64(name: string): Float64Array {
    const tensor = this.#tensor(name);
    if (tensor.region === "arena" && !tensor.kept) {
      throw new ConfigError(
        `reference: readTensor: ${name}: its storage is reused, expected a kept tensor. Plan with keep: ["${name}"].`,
      );
    }
    return this.#value(tensor).data.slice();
  }

  profile(): OpProfile[] {
    return profileByOp(this.program, this.#runs, this.#seconds);
  }

  free(): void {}

  #tensor(name: string): PlacedTensor {
    const tensor = this.program.tensors.find((each) => each.name === name);
    if (tensor) return tensor;
    throw new ConfigError(
      `reference: found no tensor '${name}' in the program, expected one of its names. Correct the name.`,
    );
  }

  #value({ id, name }: PlacedTensor): Values {
    const value = this.#values[id];
    if (value) return value;
    throw new DeviceError(
      `reference: ${name}: not bound, expected a buffer for every owned tensor. Call bind before run.`,
    );
  }

  #resolve(): void {
    const { tensors, instructions } = this.program;
    const values = (ids: readonly number[]) => ids.map((id) => this.#value(tensors[id]));
    this.#calls.push(
      ...instructions.map(({ op, inputs, outputs, attributes }) => {
        const run = referenceTable[op];
        if (!run) {
          throw new DeviceError(`reference: found op '${op}', expected one of the op table. Plan with this version.`);
        }
        return { run, call: { inputs: values(inputs), outputs: values(outputs), attributes } };
      }),
    );
  }

}

function part(region: Float64Array, { offset, bytes }: PlacedTensor): Float64Array {
  return region.subarray(offset / ELEMENT_BYTES, (offset + bytes) / ELEMENT_BYTES);
}

function hostView(buffer: Uint8Array, { dtype, offset, bytes }: PlacedTensor): Float32Array | Int32Array {
  const start = buffer.byteOffset + offset;
  const length = bytes / ELEMENT_BYTES;
  return dtype === "f32" ? new Float32Array(buffer.buffer, start, length) : new Int32Array(buffer.buffer, start, length);
}

function expectBytes(name: string, { byteLength }: Uint8Array, expected: number): void {
  if (byteLength === expected) return;
  throw new DeviceError(
    `reference: run: ${name}: found ${byteLength} bytes, expected ${expected}. ` +
      "Use RuntimeInputs and Outputs of this program.",
  );
}

export interface ReferenceExecutor extends Executor {
  allocate(bytes: number): ReferenceBuffer;
  load(program: Program): ReferenceProgram;
}

/**
 * The executor that every other is judged against: double precision, plain loops, one file an op. It runs any
 * program, far too slowly for more than a toy model.
 */
export function referenceExecutor(): ReferenceExecutor {
  return {
    name: "reference",
    instructionPath: "reference",
    numThreads: 1,
    allocate: (bytes) => new ReferenceBuffer(bytes),
    load: (program) => new ReferenceProgram(program),
  };
}

import { ConfigError } from "@espalier/core";
import { type PlacedTensor, type Program, type Region, dtypeBytes } from "./types.ts";

/** The runtime inputs of a program by name. */
export function runtimeLayout(program: Program): Map<string, PlacedTensor> {
  return layout(program, "runtime");
}

/** The outputs of a program by name. A view of an output appears as well, under its own name. */
export function outputLayout(program: Program): Map<string, PlacedTensor> {
  return layout(program, "output");
}

function layout({ tensors }: Program, region: Region): Map<string, PlacedTensor> {
  return new Map(tensors.filter((tensor) => tensor.region === region).map((tensor) => [tensor.name, tensor]));
}

type Values = Float32Array | Int32Array;

/** One host buffer with a typed view for each of its tensors. */
class HostBuffer {
  readonly bytes: Uint8Array;
  readonly #views = new Map<string, Values>();
  readonly #where: string;

  constructor(where: string, size: number, tensors: ReadonlyMap<string, PlacedTensor>) {
    this.#where = where;
    const memory = new ArrayBuffer(size);
    for (const [name, { dtype, offset, bytes }] of tensors) {
      const View = dtype === "f32" ? Float32Array : Int32Array;
      this.#views.set(name, new View(memory, offset, bytes / dtypeBytes[dtype]));
    }
    this.bytes = new Uint8Array(memory);
  }

  view(name: string): Values {
    const view = this.#views.get(name);
    if (view) return view;
    throw new ConfigError(
      `${this.#where}: found name '${name}', expected one of ${[...this.#views.keys()].join(", ") || "none"}. ` +
        "Correct the name.",
    );
  }

  names(): IterableIterator<string> {
    return this.#views.keys();
  }
}

/**
 * What the host sets before each run, in the layout of a program. Values stay until they are set again.
 *
 * @example inputs.set("learningRate", 1e-3); await loaded.run(inputs.bytes, outputs.bytes);
 */
export class RuntimeInputs {
  readonly #buffer: HostBuffer;
  readonly #unset: Set<string>;

  constructor(program: Program) {
    this.#buffer = new HostBuffer("RuntimeInputs", program.runtimeBytes, runtimeLayout(program));
    this.#unset = new Set(this.#buffer.names());
  }

  /**
   * @param value  one number for every element, or as many numbers as the input has
   * @throws {ConfigError} for an unknown name or a wrong number of values
   */
  set(name: string, value: number | ArrayLike<number>): this {
    const view = this.#buffer.view(name);
    if (typeof value === "number") view.fill(value);
    else if (value.length === view.length) view.set(value);
    else {
      throw new ConfigError(
        `RuntimeInputs: ${name}: found ${value.length} values, expected ${view.length}. ` +
          "Pass one for each element, or one number for all.",
      );
    }
    this.#unset.delete(name);
    return this;
  }

  /** The present values of an input, as a view. */
  get(name: string): Float32Array | Int32Array {
    return this.#buffer.view(name);
  }

  /**
   * The buffer to hand to `run`.
   *
   * @throws {ConfigError} while an input has never been set: a forgotten gate would be a silent 0
   */
  get bytes(): Uint8Array {
    if (this.#unset.size > 0) {
      throw new ConfigError(
        `RuntimeInputs: ${[...this.#unset].join(", ")}: never set, expected a value before the first run. ` +
          "Call set(name, value).",
      );
    }
    return this.#buffer.bytes;
  }
}

/** What a run copies back, in the layout of a program. */
export class Outputs {
  readonly #buffer: HostBuffer;

  constructor(program: Program) {
    this.#buffer = new HostBuffer("Outputs", program.outputBytes, outputLayout(program));
  }

  /** The buffer to hand to `run`. */
  get bytes(): Uint8Array {
    return this.#buffer.bytes;
  }

  /**
   * The values of an output, as a view that the next run overwrites.
   *
   * @throws {ConfigError} for an unknown name
   */
  get(name: string): Float32Array | Int32Array {
    return this.#buffer.view(name);
  }

  /** The first element of an output: the value of a scalar such as the loss. */
  number(name: string): number {
    return this.#buffer.view(name)[0];
  }
}

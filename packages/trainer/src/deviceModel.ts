import { ConfigError } from "@espalier/core";
import { type DeviceBuffer, type Executor, type LoadedProgram, Outputs, type Precision, type Program, RuntimeInputs } from "@espalier/graph";
import { type Births, entryBirths, firstBirths, type Gate, gates, gateValues, rampValue } from "@espalier/growth";
import { type ModelConfig, type Parameter, parameters } from "@espalier/spec/model";
import { documentStarts } from "@espalier/tokenizer";
import { type BatchShape, evaluationProgram, logitsProgram, owned, STARTS } from "./programs.ts";
import { FREQUENCIES, POSITIONS } from "./transformer.ts";

/** Arrays by parameter name, in the layout table's storage order. */
export type Tree = Readonly<Record<string, Float32Array>>;

/** Everything that training changes: what a checkpoint holds of a model. */
export interface ModelState {
  config: ModelConfig;
  parameters: Tree;
  /** First and second moments of AdamW. Absent for inference. */
  moments?: { first: Tree; second: Tree };
  births?: Births;
  /** Finished optimiser steps: how far the newest gates are open. */
  step?: number;
}

export interface DeviceModelOptions {
  /** What its programs round the factors of products to; state and results are fp32 either way. Default: `fp32`. */
  precision?: Precision;
  /** Leaves parameters and moments zero, for whoever writes them on the device; the state's arrays are not read. */
  unwritten?: boolean;
}

/** A compiled program with its host buffers. Runs wait for each other in the executor; those that share `outputs` must not overlap. */
export interface Ready {
  program: LoadedProgram;
  /** Two buffers in turn, so that the next inputs can be set while a run is under way. */
  inputs: readonly [RuntimeInputs, RuntimeInputs];
  outputs: Outputs;
}

/**
 * One model on a device: owns its buffers and its compiled programs. Programs compile when first asked for and are
 * kept by name; `free` drops everything (a growth makes a new DeviceModel).
 */
export class DeviceModel {
  readonly config: ModelConfig;
  readonly births: Births;
  readonly executor: Executor;
  readonly precision: Precision;
  readonly parameters: readonly Parameter[];
  /** Finished optimiser steps. The owner advances it; gates follow. */
  step: number;
  readonly #buffers = new Map<string, DeviceBuffer>();
  readonly #programs = new Map<string, Ready>();

  /** @throws {ConfigError} naming a parameter that is missing or has not its size */
  constructor(executor: Executor, state: ModelState, { precision = "fp32", unwritten = false }: DeviceModelOptions = {}) {
    this.config = state.config;
    this.executor = executor;
    this.precision = precision;
    this.births = state.births ?? firstBirths(state.config);
    this.step = state.step ?? 0;
    this.parameters = parameters(state.config);
    if (unwritten) {
      for (const { name, rows, columns } of this.parameters) {
        for (const tensor of [name, owned.firstMoment(name), owned.secondMoment(name)]) this.#buffer(tensor, 4 * rows * columns);
      }
      return;
    }
    this.#upload("parameters", (name) => name, state.parameters);
    if (state.moments) {
      this.#upload("first moments", owned.firstMoment, state.moments.first);
      this.#upload("second moments", owned.secondMoment, state.moments.second);
    }
  }

  /** Gates to trace with: those of the newest growth while its ramp is under way, else none. */
  gates(): Gate[] {
    return rampValue(this.births, this.step) < 1 ? gates(this.config, this.births) : [];
  }

  /** Sets where documents begin, for a program with documents; learned positions begin again there. */
  setDocuments(inputs: RuntimeInputs, tokens: Int32Array, { T }: BatchShape, separator: number): void {
    const starts = documentStarts(tokens, T, separator);
    inputs.set(STARTS, starts).set("lengths", T);
    if (this.config.position.kind === "learned") inputs.set(POSITIONS, starts.map((start, i) => (i % T) - start));
  }

  /** Sets gates and rotary frequencies for the present step. */
  setModelInputs(inputs: RuntimeInputs): void {
    const { frequencies } = this.config.position;
    if (frequencies) inputs.set(FREQUENCIES, frequencies);
    const m = rampValue(this.births, this.step);
    if (m >= 1) return;
    for (const [name, values] of Object.entries(gateValues(this.config, this.births, m))) inputs.set(name, values);
  }

  evaluation(shape: BatchShape, documents = false): Ready {
    const name = `evaluation ${shape.B} ${shape.T}${documents ? " documents" : ""}`;
    return this.program(name, (open) => evaluationProgram(this.config, shape, open, this.precision, documents));
  }

  logits(shape: BatchShape, documents = false): Ready {
    const name = `logits ${shape.B} ${shape.T}${documents ? " documents" : ""}`;
    return this.program(name, (open) => logitsProgram(this.config, shape, open, this.precision, documents));
  }

  /** The program of a name, traced with the present gates, compiled and bound when it is new. */
  program(name: string, build: (gates: readonly Gate[]) => Program): Ready {
    const open = this.gates();
    const key = open.length > 0 ? `${name} gated` : name;
    let ready = this.#programs.get(key);
    if (!ready) {
      const compiled = build(open);
      const program = this.executor.load(compiled);
      for (const tensor of compiled.tensors) {
        if (tensor.region === "owned") program.bind(tensor.name, this.#buffer(tensor.name, tensor.bytes));
      }
      ready = { program, inputs: [runtimeInputs(compiled), runtimeInputs(compiled)], outputs: new Outputs(compiled) };
      this.#programs.set(key, ready);
    }
    return ready;
  }

  /** Forgets the programs that were traced with gates, once the ramp is over. */
  dropGatedPrograms(): void {
    for (const [key, { program }] of this.#programs) {
      if (!key.endsWith(" gated")) continue;
      program.free();
      this.#programs.delete(key);
    }
  }

  /** The buffer of an owned tensor: a parameter's own, or one named by `owned`. */
  buffer(name: string): DeviceBuffer {
    return this.#buffers.get(name)!;
  }

  /** Values of an owned tensor of every parameter, read back in fp32. */
  read(tensorOf: (name: string) => string = (name) => name): Record<string, Float32Array> {
    return Object.fromEntries(
      this.parameters.map(({ name, rows, columns }) => {
        const values = new Float32Array(rows * columns);
        this.buffer(tensorOf(name)).read(values);
        return [name, values];
      }),
    );
  }

  /** The model as a checkpoint holds it. */
  readState(): Required<ModelState> {
    return {
      config: this.config,
      parameters: this.read(),
      moments: { first: this.read(owned.firstMoment), second: this.read(owned.secondMoment) },
      births: this.births,
      step: this.step,
    };
  }

  /**
   * Puts values back as a checkpoint holds them. The reference executor computes in fp64: without this a run that was
   * resumed from fp32 values would differ from one that was not.
   */
  roundTo({ parameters: values, moments }: ModelState): void {
    this.#upload("parameters", (name) => name, values);
    if (!moments) return;
    this.#upload("first moments", owned.firstMoment, moments.first);
    this.#upload("second moments", owned.secondMoment, moments.second);
  }

  free(): void {
    for (const { program } of this.#programs.values()) program.free();
    for (const buffer of this.#buffers.values()) buffer.free();
    this.#programs.clear();
    this.#buffers.clear();
  }

  #upload(what: string, tensorOf: (name: string) => string, tree: Tree): void {
    for (const { name, rows, columns } of this.parameters) {
      const values = tree[name];
      if (values?.length !== rows * columns) {
        throw new ConfigError(
          `model: ${what}: ${name} has ${values ? `${values.length} values` : "none"}, expected ${rows * columns}. ` +
            "Load a checkpoint of this configuration.",
        );
      }
      this.#buffer(tensorOf(name), values.byteLength).write(values);
    }
  }

  /** The buffer of an owned tensor; gradients and birth indices are made when a program first names them. */
  #buffer(name: string, bytes: number): DeviceBuffer {
    let buffer = this.#buffers.get(name);
    if (!buffer) {
      buffer = this.executor.allocate(bytes);
      buffer.write(this.#birthIndices(name) ?? new Float32Array(bytes / 4));
      this.#buffers.set(name, buffer);
    }
    return buffer;
  }

  #birthIndices(name: string): Int32Array | undefined {
    const parameter = this.parameters.find((each) => name === owned.rowBirth(each.name) || name === owned.columnBirth(each.name));
    if (!parameter) return undefined;
    const { rowBirth, columnBirth } = entryBirths(this.config, this.births, parameter);
    return name === owned.rowBirth(parameter.name) ? rowBirth : columnBirth;
  }
}

/** Input buffers of a program. Where it has learned positions, every sequence begins at row 0 of their table. */
function runtimeInputs(program: Program): RuntimeInputs {
  const inputs = new RuntimeInputs(program);
  const positions = program.tensors.find(({ name }) => name === POSITIONS);
  if (positions) {
    const [B, T] = positions.shape as [number, number];
    inputs.set(POSITIONS, Int32Array.from({ length: B * T }, (_, i) => i % T));
  }
  return inputs;
}

import { random } from "@espalier/core";
import { Outputs, RuntimeInputs } from "../buffers.ts";
import { Graph, type Tensor } from "../graph.ts";
import { type PlanOptions, plan } from "../plan.ts";
import { type ReferenceProgram, referenceExecutor } from "../reference/executor.ts";
import type { GraphData, Program } from "../types.ts";

/** Values by name: one number for all elements, or one for each. */
export type NamedValues = Readonly<Record<string, number | ArrayLike<number>>>;

export interface Session {
  program: Program;
  loaded: ReferenceProgram;
  /** Sets runtime inputs, runs, returns the unrounded values of all outputs. */
  run(runtime?: NamedValues): Promise<Record<string, Float64Array>>;
  /** Overwrites an owned tensor, unrounded. */
  write(name: string, values: number | ArrayLike<number>): void;
  read(name: string): Float64Array;
}

/**
 * A graph on the reference executor with its owned tensors bound: those in `owned` as given, all others to small
 * random numbers that depend on their names only.
 */
export function session(graph: GraphData, owned: NamedValues = {}, options: PlanOptions = {}): Session {
  const program = plan(graph, options);
  const executor = referenceExecutor();
  const loaded = executor.load(program);
  const buffers = new Map(
    program.tensors
      .filter(({ region }) => region === "owned")
      .map(({ name, bytes }) => {
        const buffer = executor.allocate(bytes);
        loaded.bind(name, buffer);
        return [name, buffer];
      }),
  );
  const write = (name: string, values: number | ArrayLike<number>) => {
    const buffer = buffers.get(name)!;
    const length = buffer.bytes / 4;
    if (typeof values !== "number" && values.length !== length) throw new Error(`${name}: ${values.length} values for ${length}`);
    buffer.write(typeof values === "number" ? new Float64Array(length).fill(values) : Float64Array.from(values));
  };
  for (const [name, { bytes }] of buffers) write(name, owned[name] ?? noise(name, bytes / 4));

  const inputs = new RuntimeInputs(program);
  const outputs = new Outputs(program);
  return {
    program,
    loaded,
    write,
    read: (name) => buffers.get(name)!.values.slice(),
    async run(runtime = {}) {
      for (const [name, value] of Object.entries(runtime)) inputs.set(name, value);
      await loaded.run(inputs.bytes, outputs.bytes);
      const marked = new Set(graph.tensors.filter(({ region }) => region === "output").map(({ name }) => name));
      const named = program.tensors.filter(({ name }) => marked.has(name));
      return Object.fromEntries(named.map(({ name }) => [name, loaded.readFloat64(name)]));
    },
  };
}

/** Numbers around 0 of size about 0.7. */
export function noise(name: string, length: number, scale = 0.7): number[] {
  const stream = random(20, name);
  return Array.from({ length }, (_, i) => scale * stream.normal(i));
}

/** Traces, runs once, and returns the value of the traced tensor. */
export async function evaluate(
  trace: (graph: Graph) => Tensor,
  owned: NamedValues = {},
  runtime: NamedValues = {},
): Promise<number[]> {
  const graph = new Graph();
  graph.output("y", trace(graph));
  return [...(await session(graph, owned).run(runtime)).y];
}

import { Graph, Outputs, type Program, RuntimeInputs, opTable, plan, recordOp, scale } from "@espalier/graph";
import { describe, expect, it } from "vitest";
import { availableBackends } from "./availableBackends.ts";
import { type CaseTensor, type OpCase, runCase, valuesOf } from "./testing/opCase.ts";
import { opCases } from "./testing/opCases.ts";

const native = availableBackends().filter(({ name }) => name !== "reference");

/** The largest case of an op. */
function largest(op: string): OpCase {
  const size = ({ inputs }: OpCase) => inputs[0]!.shape.reduce((a, b) => a * b, 1);
  return opCases.filter((each) => each.op === op).reduce((a, b) => (size(b) > size(a) ? b : a));
}

/** The case with intermediates as inputs and as the output `result`, so that the plan may put one over the other. */
function chained({ op, inputs, attributes }: OpCase, result: number): Graph {
  const graph = new Graph();
  const copies = inputs.map(({ shape }, i) => graph.label(`copy${i}`, scale(graph.runtime(`input${i}`, shape), 2)));
  const outputs = recordOp(op, copies, { attributes });
  graph.output("y", scale(graph.label("result", outputs[result]!), 2));
  outputs.forEach((each, i) => i !== result && graph.output(`y${i}`, scale(each, 2)));
  return graph;
}

describe.each(native)("edges of ops on $name", ({ create }) => {
  const executor = create({ numThreads: 2, parallelGrain: 0 });

  async function runProgram(program: Program, inputs: readonly CaseTensor[]): Promise<ArrayLike<number>[]> {
    const loaded = executor.load(program);
    const runtime = new RuntimeInputs(program);
    const outputs = new Outputs(program);
    inputs.forEach((tensor, i) => runtime.set(`input${i}`, valuesOf(tensor, "input", i)));
    await loaded.run(runtime.bytes, outputs.bytes);
    loaded.free();
    return program.tensors.filter(({ region }) => region === "output").map(({ name }) => outputs.get(name).slice());
  }

  const pairs = Object.values(opTable).flatMap(({ name, inPlace = [] }) => {
    return inPlace.map(([output, input]) => ({ op: name, input, output }));
  });
  it.each(pairs)("$op may be written over its input $input", async ({ op, input, output }) => {
    const opCase = largest(op);
    const graph = chained(opCase, output);
    const copies = opCase.inputs.map((_, i) => `copy${i}`);
    const over = plan(graph, { keep: copies.filter((_, i) => i !== input) });
    const offsetOf = (name: string) => over.tensors.find((tensor) => tensor.name === name)!.offset;
    expect(offsetOf("result"), "the plan shares the storage").toBe(offsetOf(`copy${input}`));

    const apart = await runProgram(plan(graph, { keep: copies }), opCase.inputs);
    expect(await runProgram(over, opCase.inputs)).toEqual(apart);
  });

  it("swiglu keeps the relative accuracy of its exponential over the whole range", async () => {
    const count = 100_001;
    const x: CaseTensor = { shape: [count], value: (i) => -87 + (174 * i) / (count - 1) };
    const [found] = await runCase(executor, { op: "swiglu", note: "", inputs: [x, { shape: [count], value: () => 1 }] });
    let worst = 0;
    valuesOf(x).forEach((z, i) => {
      const silu = z / (1 + Math.exp(-z));
      worst = Math.max(worst, Math.abs(found![i]! - silu) / Math.abs(silu || 1));
    });
    expect(worst).toBeLessThan(4e-7); // measured 1.6e-7: exp 8.4e-8, then three roundings
  });

  it("an index outside of its table gives a row that is not a number, and no gradient", async () => {
    const tokens: CaseTensor = { shape: [1, 3], dtype: "i32", value: (i) => [2, 3, -1][i]! };
    const isNaN = (values: ArrayLike<number>) => Array.from(values, Number.isNaN);
    const rows = (...answers: boolean[]) => answers.flatMap((answer) => Array<boolean>(5).fill(answer));

    const [embedded] = await runCase(executor, {
      op: "embedding", note: "", inputs: [tokens, { shape: [3, 5] }], attributes: { factor: 1 },
    });
    expect(isNaN(embedded!)).toEqual(rows(false, true, true));

    const [dTable] = await runCase(executor, {
      op: "embeddingGrad", note: "", inputs: [tokens, { shape: [1, 3, 5], value: () => 1 }], outputShapes: [[3, 5]],
      attributes: { factor: 1, accumulate: 0 },
    });
    expect(Array.from(dTable!)).toEqual([...Array<number>(10).fill(0), ...Array<number>(5).fill(1)]);

    const [gathered] = await runCase(executor, {
      op: "gatherRows", note: "", inputs: [{ shape: [2, 3, 5] }, { shape: [2], dtype: "i32", value: (i) => [1, 3][i]! }],
    });
    expect(isNaN(gathered!)).toEqual(rows(false, true));
  });

  const activations = ["gelu", "geluGrad", "geluErf", "geluErfGrad", "swiglu", "layerNorm", "rmsNorm", "causalAttention"];
  it.each(activations)("%s lets what is not a number be seen", async (op) => {
    const { inputs, ...rest } = largest(op);
    const [y] = await runCase(executor, { ...rest, inputs: [{ ...inputs[0]!, value: () => NaN }, ...inputs.slice(1)] });
    expect(Array.from(y!).every(Number.isNaN)).toBe(true);
  });
});

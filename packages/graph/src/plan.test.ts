import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { differentiate } from "./differentiate.ts";
import { fuse } from "./fuse.ts";
import { Graph, type Tensor } from "./graph.ts";
import { add } from "./ops/add.ts";
import { addBias } from "./ops/addBias.ts";
import { blend } from "./ops/blend.ts";
import { gelu } from "./ops/gelu.ts";
import { layerNorm } from "./ops/layerNorm.ts";
import { matmul } from "./ops/matmul.ts";
import { reshape } from "./ops/reshape.ts";
import { scale } from "./ops/scale.ts";
import { scaleColumns } from "./ops/scaleColumns.ts";
import { swiglu } from "./ops/swiglu.ts";
import { opTable } from "./ops/table.ts";
import { peakBytes, plan } from "./plan.ts";
import { ALIGNMENT } from "./storage.ts";
import { lossInputs, lossOn } from "./testing/gradients.ts";
import { session } from "./testing/run.ts";
import { toy, trainingGraph } from "./testing/transformer.ts";
import type { Program } from "./types.ts";

interface Span {
  root: number;
  offset: number;
  bytes: number;
  first: number;
  last: number;
}

/** When each arena storage is in use, worked out anew from the program alone. */
function spans({ tensors, instructions }: Program): Span[] {
  const found = new Map<number, Span>();
  const rootOf = (id: number) => tensors[id].viewOf ?? id;
  instructions.forEach(({ inputs, outputs }, index) => {
    for (const id of outputs) {
      const { region, offset, bytes } = tensors[id];
      if (region === "arena") found.set(id, { root: id, offset, bytes, first: index, last: index });
    }
    for (const id of inputs) if (found.has(rootOf(id))) found.get(rootOf(id))!.last = index;
  });
  for (const { id, kept } of tensors) if (kept && found.has(rootOf(id))) found.get(rootOf(id))!.last = instructions.length;
  return [...found.values()];
}

/** Pairs that share bytes while both are needed, other than an output that its op may write over its input. */
function clashes(program: Program): [Span, Span][] {
  const all = spans(program);
  const mayAlias = (written: Span, read: Span) => {
    if (written.first !== read.last || written.offset !== read.offset || written.bytes !== read.bytes) return false;
    const { op, inputs, outputs } = program.instructions[written.first];
    const roots = inputs.map((id) => program.tensors[id].viewOf ?? id);
    return (opTable[op].inPlace ?? []).some(([o, i]) => outputs[o] === written.root && roots[i] === read.root);
  };
  return all.flatMap((a, i) =>
    all
      .slice(i + 1)
      .filter((b) => a.first <= b.last && b.first <= a.last)
      .filter((b) => a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes)
      .filter((b) => !mayAlias(a, b) && !mayAlias(b, a))
      .map((b): [Span, Span] => [a, b]),
  );
}

const WIDTHS = [3, 40];

/** A random graph: each step applies an op to earlier values of a fitting shape. */
function randomGraph(steps: readonly (readonly [number, number, number])[], numOutputs: number): Graph {
  const g = new Graph();
  const values: Tensor[] = WIDTHS.map((width) => scale(g.owned(`x${width}`, [2, width]), 2));
  const parameters = new Set<Tensor>();
  const parameter = (name: string, ...shape: number[]) => {
    const tensor = g.owned(name, shape);
    parameters.add(tensor);
    return tensor;
  };
  for (const [op, first, second] of steps) {
    const a = values[first % values.length];
    const fitting = values.filter((value) => value.shape[1] === a.shape[1]);
    const b = fitting[second % fitting.length];
    const width = a.shape[1];
    const other = WIDTHS[second % WIDTHS.length];
    const choices = [
      () => add(a, b),
      () => scale(a, 0.5),
      () => addBias(a, parameter(`bias${width}`, width)),
      () => scaleColumns(a, g.runtime(`gate${width}`, [width])),
      () => gelu(a),
      () => blend(a, b, g.runtime("m", [1])),
      () => swiglu(a, b),
      () => matmul(a, parameter(`w${width}x${other}`, width, other)),
      () => layerNorm(a, parameter(`gain${width}`, width), parameter(`shift${width}`, width)),
      () => reshape(reshape(a, [width, 2]), [2, width]),
    ];
    values.push(choices[op % choices.length]());
  }
  values.slice(WIDTHS.length).slice(-numOutputs).forEach((value, i) => {
    if (value.region === "arena") g.output(`y${i}`, value);
  });
  const loss = lossOn(values.at(-1)!);
  g.output("loss", loss);
  const wrt = [...parameters].filter((each) => reaches(g, each.id, loss.id));
  if (wrt.length > 0) differentiate({ loss, wrt });
  return g;
}

function reaches(g: Graph, from: number, to: number): boolean {
  const reached = new Set([from]);
  for (const { inputs, outputs } of g.nodes) if (inputs.some((id) => reached.has(id))) for (const id of outputs) reached.add(id);
  return reached.has(to);
}

const graphs = fc.tuple(
  fc.array(fc.tuple(fc.nat(9), fc.nat(50), fc.nat(50)), { minLength: 1, maxLength: 14 }),
  fc.integer({ min: 0, max: 3 }),
  fc.boolean(),
);
const gates = { m: 0.25, ...Object.fromEntries(WIDTHS.map((width) => [`gate${width}`, 0.5])) };

describe("plan", () => {
  it("never places two tensors that are needed at once over one another (any graph)", () => {
    fc.assert(
      fc.property(graphs, ([steps, numOutputs, fused]) => {
        const g = randomGraph(steps, numOutputs);
        const program = plan(fused ? fuse(g) : g);
        expect(clashes(program)).toEqual([]);
        for (const { offset } of program.tensors) expect(offset % ALIGNMENT).toBe(0);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it("gives the same values as a plan without any reuse (any graph)", async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async ([steps, numOutputs, fused]) => {
        const g = randomGraph(steps, numOutputs);
        const graph = fused ? fuse(g) : g;
        const everything = graph.nodes
          .filter(({ outputs }) => outputs.every((id) => graph.tensors[id].region === "arena"))
          .flatMap(({ outputs }) => outputs.map((id) => graph.tensors[id].name));
        const [reusing, keeping] = [session(graph), session(graph, {}, { keep: everything })];
        const inputs = Object.fromEntries(
          Object.entries({ ...gates, ...lossInputs(2) }).filter(([name]) => g.find(name)?.region === "runtime"),
        );
        expect(await reusing.run(inputs)).toEqual(await keeping.run(inputs));
        for (const { region, name } of reusing.program.tensors) {
          if (region === "owned") expect(reusing.read(name), name).toEqual(keeping.read(name));
        }
      }),
      { numRuns: 100, seed: 2 },
    );
  });

  it("has an arena as large as its highest tensor, close to what is alive at once", () => {
    for (const family of ["flm", "llama"] as const) {
      const program = plan(fuse(trainingGraph({ ...toy, family, G: family === "flm" ? 2 : 1, C: 32, H: 96, T: 16, L: 6 })));
      const all = spans(program);
      expect(Math.max(...all.map(({ offset, bytes }) => Math.ceil((offset + bytes) / ALIGNMENT) * ALIGNMENT))).toBe(program.arenaBytes);
      const alive = program.instructions.map((_, index) =>
        // Storage that an output took over counts once.
        [...new Map(all.filter(({ first, last }) => first <= index && index <= last).map((span) => [span.offset, span])).values()].reduce(
          (sum, { bytes }) => sum + Math.ceil(bytes / ALIGNMENT) * ALIGNMENT,
          0,
        ),
      );
      expect(program.arenaBytes).toBeGreaterThanOrEqual(Math.max(...alive));
      expect(program.arenaBytes).toBeLessThan(1.05 * Math.max(...alive));
    }
  });

  it("writes an elementwise result over an input that nothing reads later", () => {
    const g = new Graph();
    const x = scale(g.owned("x", [16]), 2);
    const y = scale(x, 2);
    g.output("z", add(scale(y, 2), y));
    const { tensors, arenaBytes } = plan(g);
    const place = (name: string) => tensors.find((tensor) => tensor.name === name)!.offset;
    expect(place(y.name)).toBe(place(x.name));
    expect(arenaBytes).toBe(2 * 64); // y stays while scale(y, 2) is made
  });

  it("keeps intermediates on request, through other writes", async () => {
    const g = new Graph();
    const h = g.label("h", scale(g.owned("x", [2]), 2));
    g.output("y", scale(scale(h, 2), 2));
    const kept = session(g, { x: [1, 2] }, { keep: ["h"] });
    expect(await kept.run()).toEqual({ y: Float64Array.of(8, 16) });
    expect(kept.loaded.readTensor("h")).toEqual(Float32Array.of(2, 4));
    const reused = session(g, { x: [1, 2] });
    await reused.run();
    expect(() => reused.loaded.readTensor("h")).toThrow('reference: readTensor: h: its storage is reused, expected a kept tensor. Plan with keep: ["h"].');
  });

  it("drops what nothing reads, and computes only the outputs that are asked for", () => {
    const g = new Graph();
    const x = g.owned("x", [2]);
    g.output("y", scale(x, 2));
    g.output("z", gelu(x));
    swiglu(x, x);
    expect(plan(g).instructions.map(({ op }) => op)).toEqual(["scale", "gelu"]);
    const some = plan(g, { outputs: ["z"] });
    expect(some.instructions.map(({ op }) => op)).toEqual(["gelu"]);
    expect(some.outputBytes).toBe(64);
  });

  it("keeps every declared runtime input in the layout", () => {
    const g = new Graph();
    g.runtime("unused", [3]);
    g.output("y", scaleColumns(g.owned("x", [2, 17]), g.runtime("gate", [17])));
    const program = plan(g);
    expect(program.tensors.filter(({ region }) => region === "runtime").map(({ name, offset }) => [name, offset])).toEqual([
      ["unused", 0],
      ["gate", 64],
    ]);
    expect(program.runtimeBytes).toBe(64 + 128);
  });

  it("is plain data: a copy through JSON is the same program", () => {
    const program = plan(trainingGraph(toy));
    expect(JSON.parse(JSON.stringify(program))).toEqual(program);
  });

  it("names what it does not find", () => {
    const g = new Graph();
    const x = g.owned("x", [2]);
    g.label("h", scale(x, 2));
    expect(() => plan(g, { outputs: ["h"] })).toThrow("plan: outputs: found 'h' of region arena, expected a marked output.");
    expect(() => plan(g, { keep: ["x"] })).toThrow("plan: keep: found 'x' of region owned, expected an intermediate.");
    expect(() => plan(g, { keep: ["q"] })).toThrow("plan: keep: found no tensor 'q', expected an intermediate.");
  });
});

describe("peakBytes", () => {
  it("counts arena, runtime inputs, outputs and owned tensors", () => {
    const g = new Graph();
    g.output("y", scaleColumns(scale(g.owned("x", [2, 8]), 2), g.runtime("gate", [8])));
    expect(peakBytes(plan(g))).toBe(64 + 64 + 64 + 64);
  });
});

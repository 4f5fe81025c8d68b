import { describe, expect, it } from "vitest";
import { differentiate } from "./differentiate.ts";
import { fuse } from "./fuse.ts";
import { Graph, type Tensor } from "./graph.ts";
import { add } from "./ops/add.ts";
import { addBias } from "./ops/addBias.ts";
import { gelu, geluGrad } from "./ops/gelu.ts";
import { linearCrossEntropy } from "./ops/linearCrossEntropy.ts";
import { matmul } from "./ops/matmul.ts";
import { scale } from "./ops/scale.ts";
import { scaleColumns } from "./ops/scaleColumns.ts";
import { recordOp } from "./ops/table.ts";
import { plan } from "./plan.ts";
import { type NamedValues, session } from "./testing/run.ts";
import { toy, trainingGraph, transformerInputs } from "./testing/transformer.ts";
import type { GraphData } from "./types.ts";

const opsOf = (graph: GraphData) => plan(graph).instructions.map(({ op }) => op);

/** Outputs and owned tensors after a run. */
async function resultsOf(graph: GraphData, runtime: NamedValues): Promise<Record<string, Float64Array>> {
  const { run, read, program } = session(graph);
  const outputs = await run(runtime);
  const owned = program.tensors.filter(({ region }) => region === "owned").map(({ name }) => [name, read(name)] as const);
  return { ...outputs, ...Object.fromEntries(owned) };
}

/** Everything that an epilogue may hold, on `x w`. */
function parts(g: Graph) {
  const product = matmul(scale(g.owned("x", [2, 3]), 2), g.owned("w", [3, 4]));
  const [bias, residual, gate] = [g.owned("bias", [4]), g.owned("residual", [2, 4]), g.runtime("gate", [4])];
  return {
    product,
    withBias: (x: Tensor) => addBias(x, bias),
    withGate: (x: Tensor) => scaleColumns(x, gate),
    withResidual: (x: Tensor) => add(residual, x),
  };
}

const runtime = { gate: [1, 0.5, 0, 2] };

describe("fuse", () => {
  it.each<[string, (p: ReturnType<typeof parts>) => Tensor, string[]]>([
    ["bias", ({ product, withBias }) => withBias(product), ["scale", "matmul"]],
    ["gelu", ({ product }) => gelu(product), ["scale", "matmul"]],
    ["gate", ({ product, withGate }) => withGate(product), ["scale", "matmul"]],
    ["residual", ({ product, withResidual }) => withResidual(product), ["scale", "matmul"]],
    ["all of them in order", (p) => p.withResidual(p.withGate(gelu(p.withBias(p.product)))), ["scale", "matmul"]],
    ["a gate before gelu: only up to the gate", (p) => gelu(p.withGate(p.withBias(p.product))), ["scale", "matmul", "gelu"]],
    ["two biases: only the first", (p) => p.withBias(p.withBias(p.product)), ["scale", "matmul", "addBias"]],
    ["a residual that is the value before gelu: only gelu", ({ product }) => add(gelu(product), product), ["scale", "matmul", "add"]],
    ["a product added to itself: nothing", ({ product }) => add(product, product), ["scale", "matmul", "add"]],
  ])("folds into a product %s", async (_, trace, ops) => {
    const g = new Graph();
    g.output("y", trace(parts(g)));
    if (!g.find("gate")) g.runtime("gate", [4]);
    const fused = fuse(g);
    expect(opsOf(fused)).toEqual(ops);
    expect(await resultsOf(fused, runtime)).toEqual(await resultsOf(g, runtime));
  });

  it("saves the value before gelu for its backward", async () => {
    const g = new Graph();
    const p = parts(g);
    const { loss } = linearCrossEntropy(gelu(p.withBias(p.product)), g.owned("head", [5, 4]), g.runtime("targets", [2], "i32"), g.runtime("weights", [2]));
    g.output("loss", loss);
    differentiate({ loss, wrt: [g.owned("w", [3, 4]), g.owned("bias", [4])] });
    const fused = fuse(g);
    const product = fused.nodes.find(({ op }) => op === "matmul")!;
    expect(product.attributes).toMatchObject({ bias: 1, gelu: 1, gate: 0, residual: 0, savePre: 1 });
    expect(fused.nodes.find(({ op }) => op === "geluGrad")!.inputs[0]).toBe(product.outputs[1]);
    const inputs = { ...runtime, targets: [4, 0], weights: 0.5 };
    expect(await resultsOf(fused, inputs)).toEqual(await resultsOf(g, inputs));
  });

  it("takes the gradient of gelu into the product that makes it, before a gate and a residual", async () => {
    const g = new Graph();
    const pre = scale(g.owned("pre", [2, 4]), 3);
    const { product, withGate, withResidual } = parts(g);
    g.output("y", withResidual(withGate(geluGrad(pre, product))));
    const fused = fuse(g);
    expect(opsOf(fused).toSorted()).toEqual(["matmul", "scale", "scale"]);
    expect(fused.nodes.find(({ op }) => op === "matmul")!.attributes).toMatchObject({ geluGrad: 1, gelu: 0, gate: 1, residual: 1 });
    expect(await resultsOf(fused, runtime)).toEqual(await resultsOf(g, runtime));
  });

  it("takes no gradient of gelu behind a bias, at the product itself, or of a value that others read", () => {
    const biased = new Graph();
    const a = parts(biased);
    biased.output("y", geluGrad(biased.owned("pre", [2, 4]), a.withBias(a.product)));
    expect(opsOf(fuse(biased))).toEqual(["scale", "matmul", "geluGrad"]);

    const own = new Graph();
    const b = parts(own);
    own.output("y", geluGrad(b.product, b.product));
    expect(opsOf(fuse(own))).toEqual(["scale", "matmul", "geluGrad"]);

    const read = new Graph();
    const c = parts(read);
    read.output("y", add(scale(c.product, 2), geluGrad(read.owned("pre", [2, 4]), c.product)));
    expect(opsOf(fuse(read))).toContain("geluGrad");
  });

  it("leaves a value alone that something else reads, or that is an output or kept", () => {
    const read = new Graph();
    const a = parts(read);
    read.output("y", add(scale(a.product, 3), a.withBias(a.product)));
    expect(opsOf(fuse(read))).toEqual(["scale", "matmul", "scale", "addBias", "add"]);

    const marked = new Graph();
    const b = parts(marked);
    marked.output("product", b.product);
    marked.output("y", b.withBias(b.product));
    expect(opsOf(fuse(marked))).toEqual(["scale", "matmul", "addBias"]);

    const kept = new Graph();
    const c = parts(kept);
    kept.label("product", c.product);
    kept.output("y", c.withBias(c.product));
    expect(opsOf(fuse(kept, { keep: ["product"] }))).toEqual(["scale", "matmul", "addBias"]);
    expect(opsOf(fuse(kept))).toEqual(["scale", "matmul"]);
  });

  it("does not move a product behind a reader of the value that it saves", () => {
    const g = new Graph();
    const p = parts(g);
    const other = gelu(scale(p.product, 2));
    g.output("y", add(gelu(p.product), other));
    // scale reads the product before gelu does: gelu stays where it is.
    expect(opsOf(fuse(g)).filter((op) => op === "gelu")).toHaveLength(2);
  });

  it("does not move a product behind a write to one of its factors", async () => {
    const g = new Graph();
    const [x, w] = [g.owned("x", [2, 3]), g.owned("w", [3, 1])];
    const product = matmul(x, w);
    // Overwrites w with the column sums of x, as an optimiser step or a gradient would.
    recordOp("columnSum", [x], { attributes: { accumulate: 0 }, into: [w] });
    g.output("y", addBias(product, g.owned("bias", [1])));
    expect(opsOf(fuse(g))).toEqual(["matmul", "columnSum", "addBias"]);
    expect(await resultsOf(fuse(g), {})).toEqual(await resultsOf(g, {}));
  });

  it("does not join the loss with a gradient whose target is written in between", () => {
    const g = new Graph();
    const [x, head, targets, weights] = [g.owned("x", [2, 3]), g.owned("head", [5, 3]), g.runtime("t", [2], "i32"), g.runtime("w", [2])];
    const { loss } = linearCrossEntropy(x, head, targets, weights);
    g.output("loss", loss);
    recordOp("embeddingGrad", [targets, x], { attributes: { factor: 1, accumulate: 0 }, into: [g.owned("grad:head", [5, 3])] });
    differentiate({ loss, wrt: [head] });
    expect(opsOf(fuse(g))).toEqual(["linearCrossEntropy", "embeddingGrad", "linearCrossEntropyGrad"]);
  });

  describe("the gradient of a bias", () => {
    /** `x w + bias`, with `w` stored `[out, in]` or `[in, out]`, and its gradients, which the runtime flag adds up. */
    const layer = (transB: boolean, alpha = 1, wrt = ["w", "bias"]) => {
      const g = new Graph();
      const x = scale(g.owned("x", [6, 3]), 2);
      const product = matmul(x, g.owned("w", transB ? [4, 3] : [3, 4]), { transB, alpha });
      const y = gelu(addBias(product, g.owned("bias", [4])));
      const { loss } = linearCrossEntropy(y, g.owned("head", [5, 4]), g.runtime("targets", [6], "i32"), g.runtime("weights", [6]));
      g.output("loss", loss);
      const flag = g.runtime("accumulateFlag", [1], "i32");
      differentiate({ loss, wrt: wrt.map((name) => g.find(name)!), accumulateFlag: flag });
      return g;
    };
    const inputs = { targets: [4, 0, 1, 2, 3, 0], weights: 0.5 };
    const summing = (graph: GraphData) => fuse(graph).nodes.find(({ attributes }) => attributes.biasGrad);

    it.each([
      [true, 1],
      [false, 2],
    ])("is summed by the product of the weight's: transB %s, factor %s", async (transB, factor) => {
      const g = layer(transB);
      expect(opsOf(g)).toContain("columnSum");
      expect(opsOf(fuse(g))).not.toContain("columnSum");
      expect(summing(g)!.attributes.biasGrad).toBe(factor);
      for (const accumulateFlag of [0, 1]) {
        expect(await resultsOf(fuse(g), { ...inputs, accumulateFlag })).toEqual(await resultsOf(g, { ...inputs, accumulateFlag }));
      }
    });

    it("stays alone without a product that reads the same, and where that product is scaled", () => {
      expect(opsOf(fuse(layer(true, 1, ["bias"])))).toContain("columnSum");
      expect(opsOf(fuse(layer(true, 2)))).toContain("columnSum");
    });

    it("stays alone where it is added otherwise, or what it writes is read in between", () => {
      const trace = (sumAccumulates: number, read: boolean) => {
        const g = new Graph();
        const [dy, x, dw, db] = [scale(g.owned("dy", [6, 4]), 2), g.owned("x", [6, 3]), g.owned("dw", [4, 3]), g.owned("db", [4])];
        recordOp("columnSum", [dy], { attributes: { accumulate: sumAccumulates }, into: [db] });
        if (read) g.output("early", scale(db, 3));
        const attributes = { transA: 1, transB: 0, alpha: 1, accumulate: 0, bias: 0, gelu: 0, gate: 0, residual: 0, savePre: 0 };
        recordOp("matmul", [dy, x], { attributes, into: [dw] });
        return opsOf(fuse(g));
      };
      expect(trace(0, false)).toEqual(["scale", "matmul"]);
      expect(trace(1, false)).toEqual(["scale", "columnSum", "matmul"]);
      expect(trace(0, true)).toEqual(["scale", "columnSum", "scale", "matmul"]);
    });

    it("leaves no sum alone in a training step", () => {
      expect(opsOf(trainingGraph(toy))).toContain("columnSum");
      expect(opsOf(fuse(trainingGraph(toy)))).not.toContain("columnSum");
    });
  });

  it("sums gradients of a shared value inside the products that make them", () => {
    const adds = (graph: GraphData) => opsOf(graph).filter((op) => op === "add").length;
    const g = trainingGraph(toy);
    expect(adds(g)).toBeGreaterThan(8);
    // What products leave, the residual stream's own gradient that meets that of each block behind a norm, joins the norm's.
    expect(adds(fuse(g))).toBe(0);
    expect(opsOf(fuse(g)).filter((op) => op === "layerNormGradAdd")).toHaveLength(2 * toy.L);
  });

  it.each([
    ["flm", toy],
    ["gated flm", { ...toy, gated: true }],
    ["llama", { ...toy, family: "llama" as const, G: 1 }],
    ["gated llama", { ...toy, family: "llama" as const, G: 1, gated: true }],
  ])("changes no bit of the loss or of any gradient: %s", async (_, shape) => {
    const g = trainingGraph(shape, true);
    const fused = fuse(g);
    expect(opsOf(fused).length).toBeLessThan(opsOf(g).length);
    expect(opsOf(fused)).toContain("linearCrossEntropyWithGrad");
    expect(opsOf(fused)).not.toContain("linearCrossEntropyGrad");
    const inputs = { ...transformerInputs(shape), accumulateFlag: 0 };
    expect(await resultsOf(fused, inputs)).toEqual(await resultsOf(g, inputs));
  });
});

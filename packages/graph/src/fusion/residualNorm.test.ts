import { describe, expect, it } from "vitest";
import { fuse } from "../fuse.ts";
import { Graph, type Tensor } from "../graph.ts";
import { add } from "../ops/add.ts";
import { layerNorm } from "../ops/layerNorm.ts";
import { rmsNorm } from "../ops/rmsNorm.ts";
import { scale } from "../ops/scale.ts";
import { recordOp } from "../ops/table.ts";
import { plan } from "../plan.ts";
import { gradientErrors, lossInputs, lossOn } from "../testing/gradients.ts";
import { session } from "../testing/run.ts";
import type { GraphData } from "../types.ts";

const opsOf = (graph: GraphData) => plan(graph).instructions.map(({ op }) => op);
const runtime = { c: [1, 0.25, 0, 0.75] };

/** Two blocks on a residual stream, each `h + 2 norm(h)`, on a sum of two tables: no product takes any of the sums. */
function stream(g: Graph, norm: (g: Graph, x: Tensor, name: string) => Tensor) {
  let h = add(g.owned("left", [3, 4]), scale(g.owned("right", [3, 4]), 3));
  for (const name of ["first", "second"]) h = add(h, scale(norm(g, h, name), 2));
  return h;
}

const norms = {
  layerNorm: (g: Graph, x: Tensor, name: string) => layerNorm(x, g.owned(`${name}.gain`, [4]), g.owned(`${name}.bias`, [4])),
  "layerNorm with channel weights": (g: Graph, x: Tensor, name: string) =>
    layerNorm(x, g.owned(`${name}.gain`, [4]), g.owned(`${name}.bias`, [4]), { channelWeights: g.runtime("c", [4]) }),
  rmsNorm: (g: Graph, x: Tensor, name: string) => rmsNorm(x, g.owned(`${name}.gain`, [4])),
  "rmsNorm with channel weights": (g: Graph, x: Tensor, name: string) => rmsNorm(x, g.owned(`${name}.gain`, [4]), { channelWeights: g.runtime("c", [4]) }),
};

describe("fuse: sums with norms", () => {
  it.each(Object.entries(norms))("has gradients that agree with finite differences: %s", async (name, norm) => {
    const forward = new Graph();
    lossOn(stream(forward, norm));
    const errors = await gradientErrors(
      (g) => {
        const loss = lossOn(stream(g, norm));
        const wrt = ["left", "right", "first.gain", "second.gain"].map((each) => g.owned(each, forward.find(each)!.shape));
        const biases = name.startsWith("layer") ? ["first.bias", "second.bias"].map((each) => g.owned(each, [4])) : [];
        return { loss, wrt: [...wrt, ...biases] };
      },
      { ...lossInputs(3), ...(name.includes("channel") ? runtime : {}) },
    );
    expect(Math.max(...Object.values(errors))).toBeLessThan(1e-6);
  });

  it("joins each sum with the norm behind it, and writes it over what it is a sum of", () => {
    const g = new Graph();
    g.output("y", norms.layerNorm(g, stream(g, norms.layerNorm), "final"));
    const fused = fuse(g);
    expect(opsOf(fused)).toEqual(["scale", "addLayerNorm", "scale", "addLayerNorm", "scale", "addLayerNorm"]);
    const { tensors, instructions } = plan(fused);
    const second = instructions[3]!;
    expect([second.inputs[0], second.inputs[1]].map((id) => tensors[id]!.offset)).toContain(tensors[second.outputs[3]!]!.offset);
  });

  it("leaves a norm alone that does not follow its sum, or is another's than of the sum", () => {
    const later = new Graph();
    const h = add(later.owned("a", [3, 4]), later.owned("b", [3, 4]));
    later.output("other", scale(h, 2));
    later.output("y", norms.rmsNorm(later, h, "norm"));
    expect(opsOf(fuse(later))).toEqual(["add", "scale", "rmsNorm"]);

    const gained = new Graph();
    const gain = add(gained.owned("a", [4]), gained.owned("b", [4]));
    gained.output("y", rmsNorm(gained.owned("x", [3, 4]), gain));
    gained.output("z", rmsNorm(gain, gain));
    expect(opsOf(fuse(gained))).toEqual(["add", "rmsNorm", "rmsNorm"]);
  });

  /** A gradient behind a norm, a node between, and its sum with `residual`. */
  function gradient(g: Graph, between: (dx: Tensor, x: Tensor) => void): Tensor {
    const [x, rstd] = [g.owned("x", [3, 4]), g.owned("rstd", [3])];
    const [dx] = recordOp("rmsNormGrad", [scale(g.owned("dy", [3, 4]), 2), x, rstd, g.owned("gain", [4])]);
    between(dx!, x);
    return add(dx!, g.owned("residual", [3, 4]));
  }

  it("adds what reaches a value around its norm in the norm's gradient", async () => {
    const g = new Graph();
    g.output("y", gradient(g, () => {}));
    expect(opsOf(fuse(g))).toEqual(["scale", "rmsNormGradAdd"]);
    expect(await session(fuse(g)).run({})).toEqual(await session(g).run({}));
  });

  it.each<[string, (dx: Tensor, x: Tensor) => void, readonly string[]]>([
    ["it is an output", (dx) => dx.graph.output("dx", dx), ["scale", "rmsNormGrad", "add"]],
    ["something else reads it", (dx) => dx.graph.output("more", scale(dx, 2)), ["scale", "rmsNormGrad", "scale", "add"]],
    [
      "what it reads is written before the sum",
      (_, x) => void recordOp("columnSum", [x.graph.owned("more", [1, 12])], { attributes: { accumulate: 0 }, into: [x] }),
      ["scale", "rmsNormGrad", "columnSum", "add"],
    ],
  ])("leaves a norm's gradient alone when %s", (_, between, ops) => {
    const g = new Graph();
    g.output("y", gradient(g, between));
    expect(opsOf(fuse(g))).toEqual(ops);
  });

  it("leaves a kept gradient alone", () => {
    const g = new Graph();
    g.output("y", gradient(g, (dx) => void g.label("dx", dx)));
    expect(opsOf(fuse(g, { keep: ["dx"] }))).toEqual(["scale", "rmsNormGrad", "add"]);
  });

  it("names the argument that does not fit", () => {
    const g = new Graph();
    const [x, small, gain, rows] = [g.owned("x", [3, 4]), g.owned("small", [2, 4]), g.owned("gain", [4]), g.owned("rows", [3])];
    expect(() => recordOp("addRmsNorm", [x, small, gain], { attributes: { epsilon: 1 } })).toThrow(
      "addRmsNorm: b: shape is [2, 4], expected [3, 4]. It must have the shape of a.",
    );
    expect(() => recordOp("layerNormGradAdd", [x, x, rows, rows, gain, small])).toThrow(
      "layerNormGradAdd: residual: shape is [2, 4], expected [3, 4]. It must have the shape of dy.",
    );
    expect(() => recordOp("rmsNormGradAdd", [x, x, rows, gain])).toThrow("rmsNormGradAdd: found 4 inputs, expected 5 to 6.");
  });
});

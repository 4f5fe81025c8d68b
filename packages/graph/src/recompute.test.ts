import { describe, expect, it } from "vitest";
import { differentiate } from "./differentiate.ts";
import { Graph, type Tensor } from "./graph.ts";
import { fuse } from "./fuse.ts";
import { add } from "./ops/add.ts";
import { addBias } from "./ops/addBias.ts";
import { gelu } from "./ops/gelu.ts";
import { layerNorm } from "./ops/layerNorm.ts";
import { linearCrossEntropy } from "./ops/linearCrossEntropy.ts";
import { matmul } from "./ops/matmul.ts";
import { scale } from "./ops/scale.ts";
import { writeRows } from "./ops/writeRows.ts";
import { peakBytes, plan } from "./plan.ts";
import { planWithin, recompute } from "./recompute.ts";
import { session } from "./testing/run.ts";

const [R, C, H, V, L] = [32, 4, 24, 5, 6];

/** Residual MLPs, a segment each, with a loss and the gradients of all parameters. */
function trained(): Graph {
  const g = new Graph();
  const wrt: Tensor[] = [];
  const parameter = (name: string, ...shape: number[]) => {
    const tensor = g.owned(name, shape);
    wrt.push(tensor);
    return tensor;
  };
  let h = scale(parameter("x", R, C), 1.5);
  for (let l = 0; l < L; l++) {
    h = g.segment(`layer ${l}`, () => {
      const normed = layerNorm(h, parameter(`gain ${l}`, C), parameter(`shift ${l}`, C));
      const inner = gelu(addBias(matmul(normed, parameter(`up ${l}`, C, H)), parameter(`bias ${l}`, H)));
      return add(h, matmul(inner, parameter(`down ${l}`, H, C)));
    });
  }
  const head = parameter("head", V, C);
  const { loss } = linearCrossEntropy(h, head, g.runtime("targets", [R], "i32"), g.runtime("weights", [R]));
  differentiate({ loss, wrt });
  g.output("loss", loss);
  return g;
}

const inputs = { targets: Array.from({ length: R }, (_, r) => r % V), weights: 1 / R };
async function gradientsOf(graph: Parameters<typeof session>[0]) {
  const { run, read, program } = session(fuse(graph));
  const { loss } = await run(inputs);
  return { loss: [...loss], gradients: program.tensors.filter(({ name }) => name.startsWith("grad:")).map(({ name }) => [name, [...read(name)]]) };
}

describe("recompute", () => {
  it.each([["the first", [0]], ["one in the middle", [3]], ["some", [1, 2, 5]], ["all", [0, 1, 2, 3, 4, 5]]])("of %s leaves every gradient as it is, to the last bit", async (_, layers) => {
    const graph = trained();
    const rewritten = recompute(graph, layers.map((l) => `layer ${l}`));
    expect(rewritten.nodes.length).toBeGreaterThan(graph.nodes.length);
    expect(await gradientsOf(rewritten)).toEqual(await gradientsOf(graph));
  });

  it("keeps of a segment only what the next one reads", () => {
    const graph = trained();
    const all = graph.segments.map(({ name }) => name);
    const arena = (data: Parameters<typeof plan>[0]) => plan(fuse(data)).arenaBytes;
    expect(arena(recompute(graph, all))).toBeLessThan(arena(graph) / 2);
  });

  it("refuses an unknown segment, a graph without a loss, and a segment that changes what lives on", () => {
    const graph = trained();
    expect(() => recompute(graph, ["layer 9"])).toThrow("recompute: found segment 'layer 9', expected one of layer 0, layer 1");
    const plain = new Graph();
    plain.segment("part", () => scale(plain.owned("x", [2]), 2));
    expect(() => recompute(plain, ["part"])).toThrow("recompute: found a graph without a loss");
    const writing = new Graph();
    const h = writing.segment("part", () => {
      const x = scale(writing.owned("x", [R, C]), 2);
      writeRows(writing.owned("pool", [R, C]), x, writing.runtime("rows", [R], "i32"));
      return x;
    });
    const { loss } = linearCrossEntropy(h, writing.owned("head", [V, C]), writing.runtime("targets", [R], "i32"), writing.runtime("weights", [R]));
    differentiate({ loss, wrt: [writing.owned("x", [R, C])] });
    expect(() => recompute(writing, ["part"])).toThrow("recompute: segment 'part': writeRows writes 'pool' in place");
  });
});

describe("planWithin", () => {
  it("computes again no more than the limit asks for, and says what it costs", () => {
    const graph = trained();
    const free = peakBytes(plan(fuse(graph)));
    const least = planWithin(graph, { limitBytes: 1 });
    expect(least).toMatchObject({ fits: false });
    expect(planWithin(graph, { limitBytes: free })).toMatchObject({ fits: true, recomputed: [], extraFlops: 0, peakBytes: free });
    let before = 0;
    for (let limitBytes = free - 1; limitBytes >= least.peakBytes; limitBytes -= 512) {
      const { fits, peakBytes: bytes, recomputed, extraFlops, program } = planWithin(graph, { limitBytes });
      expect(fits).toBe(true);
      expect(bytes).toBeLessThanOrEqual(limitBytes);
      expect(peakBytes(program)).toBe(bytes);
      expect(recomputed.length).toBeGreaterThanOrEqual(before);
      expect(extraFlops).toBeGreaterThan(recomputed.length * 2 * R * C * H); // at least the first product of each
      before = recomputed.length;
    }
    expect(before).toBeGreaterThan(1);
  });

  it("counts what runs beside it: one arena, owned tensors once", () => {
    const graph = trained();
    const alone = planWithin(graph, { limitBytes: 1e9 });
    const { runtimeBytes, outputBytes } = alone.program;
    expect(planWithin(graph, { limitBytes: 1e9, beside: [alone.program] }).peakBytes).toBe(alone.peakBytes + runtimeBytes + outputBytes);
  });
});

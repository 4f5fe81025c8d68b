import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Graph } from "../graph.ts";
import { referenceTable } from "../reference/table.ts";
import { adamw } from "./adamw.ts";
import { causalAttention } from "./causalAttention.ts";
import { embedding } from "./embedding.ts";
import { gatherRows } from "./gatherRows.ts";
import { linearCrossEntropy } from "./linearCrossEntropy.ts";
import { matmul } from "./matmul.ts";
import { nodeBytes, nodeFlops, opTable, recordOp } from "./table.ts";
import { writeRows } from "./writeRows.ts";

/** Rows of the table in docs/ops.md: op name and attributes. */
function documentedOps(): Map<string, string[]> {
  const text = readFileSync(new URL("../../../../docs/ops.md", import.meta.url), "utf8");
  const rows = text.split("\n").filter((line) => /^\| `/.test(line));
  return new Map(
    rows.map((row) => {
      const cells = row.split("|").map((cell) => cell.trim());
      const attributes = cells[4].replaceAll(/\([^)]*\)/g, "").split(",").map((name) => name.trim());
      return [/`(\w+)`/.exec(cells[1])![1], attributes.filter((name) => name !== "")];
    }),
  );
}

describe("opTable", () => {
  it("has exactly the ops and the attributes of docs/ops.md, in that order", () => {
    const documented = documentedOps();
    expect(documented.size).toBeGreaterThan(20);
    expect(Object.keys(opTable)).toEqual([...documented.keys()]);
    for (const [name, { attributes, optional = [] }] of Object.entries(opTable)) {
      expect([...attributes, ...optional.map((attribute) => `${attribute}?`)], name).toEqual(documented.get(name));
    }
  });

  it("has a reference implementation of every op", () => {
    expect(Object.keys(referenceTable).toSorted()).toEqual(Object.keys(opTable).toSorted());
  });
});

describe("recordOp", () => {
  it("records an op by name, with attributes in the order of the table", () => {
    const g = new Graph();
    const [y] = recordOp("layerNorm", [g.owned("x", [2, 3]), g.owned("gain", [3]), g.owned("bias", [3])], { attributes: { epsilon: 1e-5 } });
    expect(y.shape).toEqual([2, 3]);
    const [tokens, dy] = [g.runtime("tokens", [2], "i32"), g.owned("dy", [2, 3])];
    const [table] = recordOp("embeddingGrad", [tokens, dy], { attributes: { accumulate: 0, factor: 1 }, outputShapes: [[7, 3]] });
    expect(table.shape).toEqual([7, 3]);
    expect(Object.keys(g.nodes[1].attributes)).toEqual(["factor", "accumulate"]);
  });

  it("refuses unknown ops, missing attributes and a wrong number of inputs", () => {
    const g = new Graph();
    const x = g.owned("x", [2, 3]);
    expect(() => recordOp("softmax", [x])).toThrow("opTable: found op 'softmax', expected one of embedding,");
    expect(() => recordOp("scale", [x])).toThrow("scale: factor: is undefined, expected a number.");
    expect(() => recordOp("add", [x])).toThrow("add: found 1 inputs, expected 2.");
  });
});

describe("nodeFlops", () => {
  const flopsOf = (trace: (g: Graph) => unknown) => {
    const g = new Graph();
    trace(g);
    return nodeFlops(g.nodes[0], g.tensors);
  };
  it("counts a product as 2 M N K", () => {
    expect(flopsOf((g) => matmul(g.owned("a", [2, 3, 5]), g.owned("b", [7, 5]), { transB: true }))).toBe(2 * 6 * 7 * 5);
  });
  it("counts the scores under the causal mask", () => {
    const heads = [1, 4, 2, 8];
    const flops = flopsOf((g) => causalAttention(g.owned("q", heads), g.owned("k", heads), g.owned("v", heads), { scale: 1 }));
    expect(flops).toBe(2 * 10 * (4 * 8 + 3)); // 2 heads, 4 * 5 / 2 pairs
  });
  it("counts the loss as one product and three operations a logit", () => {
    const flops = flopsOf((g) =>
      linearCrossEntropy(g.owned("x", [4, 3]), g.owned("head", [5, 3]), g.runtime("t", [4], "i32"), g.runtime("w", [4])),
    );
    expect(flops).toBe(2 * 4 * 5 * 3 + 3 * 4 * 5);
  });
});

describe("nodeBytes", () => {
  it("counts every input and output once", () => {
    const g = new Graph();
    matmul(g.owned("a", [2, 5]), g.owned("b", [5, 7]));
    expect(nodeBytes(g.nodes[0], g.tensors)).toBe(4 * (10 + 35 + 14));
  });

  it("counts the rows that a look-up touches, not its table", () => {
    const g = new Graph();
    embedding(g.runtime("tokens", [2, 3], "i32"), g.owned("table", [1000, 8]));
    writeRows(g.owned("pool", [500, 8]), g.owned("x", [3, 8]), g.runtime("rows", [3], "i32"));
    gatherRows(g.owned("h", [2, 100, 8]), g.runtime("index", [2], "i32"));
    expect(g.nodes.map((node) => nodeBytes(node, g.tensors))).toEqual([
      4 * (6 + 2 * 6 * 8),
      4 * (3 + 2 * 3 * 8),
      4 * (2 + 2 * 2 * 8),
    ]);
  });

  it("counts what AdamW updates twice, and its gradient once", () => {
    const g = new Graph();
    const size = [6, 5];
    adamw(
      { parameter: g.owned("p", size), m: g.owned("m", size), v: g.owned("v", size) },
      { gradient: g.owned("g", size), norm: g.owned("norm", [1]), step: g.owned("step", [2]), births: g.owned("births", [1, 3]) },
    );
    expect(nodeBytes(g.nodes[0], g.tensors)).toBe(28 * 30);
  });
});

import { describe, expect, it } from "vitest";
import { Graph } from "./graph.ts";
import { add } from "./ops/add.ts";
import { scale } from "./ops/scale.ts";

describe("Graph", () => {
  it("computes nothing and records nodes in order", () => {
    const g = new Graph();
    const x = g.owned("x", [2]);
    const y = add(scale(x, 2), x);
    expect(g.nodes.map(({ op }) => op)).toEqual(["scale", "add"]);
    expect(y).toMatchObject({ shape: [2], dtype: "f32", region: "arena", name: "add.1" });
  });

  it("gives a block that is named twice as one tensor", () => {
    const g = new Graph();
    expect(g.owned("table", [5, 3])).toBe(g.owned("table", [5, 3]));
  });

  it("refuses a name with another meaning", () => {
    const g = new Graph();
    g.owned("table", [5, 3]);
    expect(() => g.owned("table", [3, 5])).toThrow("graph.owned: table: already declared as owned f32 [5, 3], now owned f32 [3, 5].");
    expect(() => g.runtime("table", [5, 3])).toThrow("now runtime f32 [5, 3]. Use another name.");
    expect(() => g.output("table", scale(g.owned("x", [2]), 2))).toThrow("graph: name 'table' is taken");
  });

  it("refuses shapes that are not positive integers", () => {
    expect(() => new Graph().owned("x", [2, 0])).toThrow("graph.owned: x: shape is [2, 0], expected positive integers.");
  });

  it("refuses outputs that are not computed, or already have a name", () => {
    const g = new Graph();
    const x = g.owned("x", [2]);
    expect(() => g.output("y", x)).toThrow("graph.output: y: 'x' is of region owned, expected an intermediate.");
    const y = scale(x, 2);
    g.output("y", y);
    expect(() => g.output("z", y)).toThrow("graph.output: z: 'y' is of region output, expected an intermediate.");
    expect(g.find("y")).toBe(y);
  });

  it("refuses to mix two graphs", () => {
    expect(() => add(new Graph().owned("a", [2]), new Graph().owned("b", [2]))).toThrow(
      "add: 'b' belongs to another graph than 'a', expected one graph.",
    );
  });
});

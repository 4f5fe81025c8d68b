import { describe, expect, it } from "vitest";
import { Outputs, RuntimeInputs, outputLayout, runtimeLayout } from "./buffers.ts";
import { Graph } from "./graph.ts";
import { embedding } from "./ops/embedding.ts";
import { scaleColumns } from "./ops/scaleColumns.ts";
import { plan } from "./plan.ts";
import { referenceExecutor } from "./reference/executor.ts";

function gatedEmbedding() {
  const g = new Graph();
  const x = embedding(g.runtime("tokens", [1, 2], "i32"), g.owned("table", [3, 2]));
  g.output("x", x);
  g.output("y", scaleColumns(x, g.runtime("gate", [2])));
  return plan(g);
}

describe("RuntimeInputs and Outputs", () => {
  it("carry values in and out by name", async () => {
    const program = gatedEmbedding();
    const executor = referenceExecutor();
    const table = executor.allocate(24);
    table.write(Float32Array.of(1, 2, 3, 4, 5, 6));
    const loaded = executor.load(program);
    loaded.bind("table", table);
    const [inputs, outputs] = [new RuntimeInputs(program), new Outputs(program)];
    inputs.set("tokens", [2, 0]).set("gate", 0.5);
    await loaded.run(inputs.bytes, outputs.bytes);
    expect([...outputs.get("x")]).toEqual([5, 6, 1, 2]);
    expect([...outputs.get("y")]).toEqual([2.5, 3, 0.5, 1]);
    inputs.set("gate", [1, 0]);
    await loaded.run(inputs.bytes, outputs.bytes);
    expect([...outputs.get("y")]).toEqual([5, 0, 1, 0]);
    expect(outputs.number("y")).toBe(5);
    expect(inputs.get("tokens")).toEqual(Int32Array.of(2, 0));
  });

  it("have the layout of the program", () => {
    const program = gatedEmbedding();
    expect([...runtimeLayout(program).values()].map(({ name, offset }) => [name, offset])).toEqual([["tokens", 0], ["gate", 64]]);
    expect([...outputLayout(program).keys()]).toEqual(["x", "y"]);
    expect(new Outputs(program).bytes.byteLength).toBe(program.outputBytes);
  });

  it("refuse unknown names, wrong lengths, and a run with an input that was never set", () => {
    const inputs = new RuntimeInputs(gatedEmbedding());
    expect(() => inputs.set("gates", 1)).toThrow("RuntimeInputs: found name 'gates', expected one of tokens, gate.");
    expect(() => inputs.set("gate", [1, 2, 3])).toThrow("RuntimeInputs: gate: found 3 values, expected 2.");
    inputs.set("tokens", 0);
    expect(() => inputs.bytes).toThrow("RuntimeInputs: gate: never set, expected a value before the first run.");
    expect(() => new Outputs(gatedEmbedding()).get("z")).toThrow("Outputs: found name 'z', expected one of x, y.");
  });
});

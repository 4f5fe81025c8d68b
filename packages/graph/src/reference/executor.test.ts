import { describe, expect, it } from "vitest";
import { Outputs, RuntimeInputs } from "../buffers.ts";
import { Graph } from "../graph.ts";
import { scale } from "../ops/scale.ts";
import { plan } from "../plan.ts";
import { referenceExecutor } from "./executor.ts";

function doubled() {
  const g = new Graph();
  g.output("y", scale(g.owned("x", [2]), 2));
  return plan(g);
}

describe("referenceExecutor", () => {
  it("keeps double precision from a written Float64Array to readFloat64", async () => {
    const executor = referenceExecutor();
    const program = doubled();
    const loaded = executor.load(program);
    const x = executor.allocate(8);
    x.write(Float64Array.of(0.1, 1 / 3));
    loaded.bind("x", x);
    await loaded.run(new RuntimeInputs(program).bytes, new Outputs(program).bytes);
    expect(loaded.readFloat64("y")).toEqual(Float64Array.of(0.2, 2 / 3));
    expect(loaded.readTensor("y")).toEqual(Float32Array.of(0.2, 2 / 3));
  });

  it("converts what is read and written", () => {
    const buffer = referenceExecutor().allocate(12);
    buffer.write(Float32Array.of(1.5, -2));
    buffer.write(Int32Array.of(7), 8);
    const floats = new Float32Array(2);
    buffer.read(floats);
    const integer = new Int32Array(1);
    buffer.read(integer, 8);
    expect([...floats, ...integer]).toEqual([1.5, -2, 7]);
  });

  it("counts calls by op", async () => {
    const executor = referenceExecutor();
    const program = doubled();
    const loaded = executor.load(program);
    loaded.bind("x", executor.allocate(8));
    for (let i = 0; i < 3; i++) await loaded.run(new RuntimeInputs(program).bytes, new Outputs(program).bytes);
    expect(loaded.profile()).toMatchObject([{ op: "scale", calls: 3 }]);
  });

  it("refuses reads and writes beyond the end, and views of bytes", () => {
    const buffer = referenceExecutor().allocate(8);
    expect(() => buffer.write(new Float32Array(3))).toThrow("reference: write: found 3 elements at byte 0, expected them inside 8 bytes.");
    expect(() => buffer.read(new Float32Array(1), 8)).toThrow("reference: read: found 1 elements at byte 8");
    expect(() => buffer.write(new Uint8Array(8))).toThrow("reference: write: found a Uint8Array, expected Float32Array, Int32Array or Float64Array.");
  });

  it("refuses to run unbound, to bind the wrong size or name, and buffers of another program's size", async () => {
    const executor = referenceExecutor();
    const program = doubled();
    const loaded = executor.load(program);
    const [runtime, output] = [new RuntimeInputs(program).bytes, new Outputs(program).bytes];
    await expect(loaded.run(runtime, output)).rejects.toThrow("reference: x: not bound, expected a buffer for every owned tensor.");
    expect(() => loaded.bind("x", executor.allocate(12))).toThrow("reference: bind: x: found a buffer of 12 bytes");
    expect(() => loaded.bind("z", executor.allocate(8))).toThrow("reference: found no tensor 'z' in the program");
    loaded.bind("x", executor.allocate(8));
    await expect(loaded.run(runtime, new Uint8Array(8))).rejects.toThrow("reference: run: output: found 8 bytes, expected 64.");
  });
});

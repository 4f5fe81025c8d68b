import { random } from "@espalier/core";
import { Graph, matmul, Outputs, plan, RuntimeInputs } from "@espalier/graph";
import { describe, expect, it } from "vitest";
import { cpuExecutor, type InstructionPath } from "./cpuExecutor.ts";
import { nativeStatus } from "./nativeStatus.ts";

const paths = nativeStatus().instructionPaths as readonly InstructionPath[];

describe.each(paths.flatMap((isa) => (["fp32", "bf16"] as const).map((precision) => ({ isa, precision }))))("a row of a product on $isa, $precision", ({ isa, precision }) => {
  const executor = cpuExecutor({ numThreads: 2, isa, parallelGrain: 0 });
  const stream = random(3, "few rows");
  const numbers = (first: number, length: number) => Float32Array.from({ length }, (_, i) => stream.uniform(first + i) - 0.5);

  async function product(a: Float32Array, b: Float32Array, M: number, N: number, K: number): Promise<Float32Array> {
    const graph = new Graph({ precision });
    graph.output("y", matmul(graph.runtime("a", [M, K]), graph.runtime("b", [N, K]), { transB: true, alpha: 0.3 }));
    const program = plan(graph);
    const outputs = new Outputs(program);
    const loaded = executor.load(program);
    await loaded.run(new RuntimeInputs(program).set("a", a).set("b", b).bytes, outputs.bytes);
    loaded.free();
    return Float32Array.from(outputs.get("y"));
  }

  it.each([[31, 40], [70, 513], [200, 1501], [33, 16]])("has the same bits alone, among few and among many: N %i, K %i", async (N, K) => {
    const M = 20;
    const [a, b] = [numbers(0, M * K), numbers(M * K, N * K)];
    const whole = await product(a, b, M, N, K);
    for (const count of [1, 2, 3, 5, 8]) {
      const first = M - count - 1;
      const part = await product(a.subarray(first * K, (first + count) * K), b, count, N, K);
      expect(part).toEqual(whole.subarray(first * N, (first + count) * N));
    }
  });
});

/**
 * Milliseconds and GFLOP/s of the loss ops at the sizes of small-model training: best of `repeats` runs, counting
 * 2 R V C forward and 6 R V C with gradients.
 *
 * `node --conditions=@espalier/source bench/linearCrossEntropy.bench.ts [--threads N]`
 */
import { parseArgs } from "node:util";
import { Outputs, RuntimeInputs } from "@espalier/graph";
import { cpuExecutor } from "../src/index.ts";
import { type CaseTensor, traceCase, valuesOf } from "../src/testing/opCase.ts";

const { values } = parseArgs({ options: { threads: { type: "string", default: "1" }, repeats: { type: "string", default: "20" } } });
const sizes = [[1024, 1024, 96], [2048, 1024, 48], [1024, 4096, 192], [1024, 4096, 512]] as const;
const ops = [["linearCrossEntropy", 2], ["linearCrossEntropyWithGrad", 6]] as const;

const executor = cpuExecutor({ numThreads: Number(values.threads) });
console.log(`path ${executor.instructionPath}, ${values.threads} thread(s)`);
for (const [R, V, C] of sizes) {
  for (const [op, products] of ops) {
    const inputs: CaseTensor[] = [
      { shape: [R, C] },
      { shape: [V, C], value: (i) => Math.sin(i) / 10 },
      { shape: [R], dtype: "i32", value: (i) => (i * 31) % V },
      { shape: [R], value: () => 1 / R },
    ];
    const attributes: Record<string, number> = op === "linearCrossEntropy" ? { factor: 1 } : { factor: 1, accumulate: 0 };
    const { program } = traceCase({ op, note: "", inputs, attributes });
    const loaded = executor.load(program);
    const runtime = new RuntimeInputs(program);
    inputs.forEach((tensor, i) => runtime.set(`input${i}`, valuesOf(tensor, op, i)));
    const outputs = new Outputs(program);
    let best = Infinity;
    let before = 0;
    for (let i = 0; i < Number(values.repeats); i++) {
      await loaded.run(runtime.bytes, outputs.bytes);
      const after = loaded.profile()[0]!.seconds;
      best = Math.min(best, after - before);
      before = after;
    }
    loaded.free();
    const loss = outputs.number("output0");
    if (!(Math.abs(loss - Math.log(V)) < 1)) throw new Error(`${op}: loss is ${loss}, expected about ln V = ${Math.log(V)}`);
    console.log(`R ${R} V ${V} C ${C}  ${op.padEnd(26)} ${(1e3 * best).toFixed(2).padStart(7)} ms ${((products * R * V * C) / best / 1e9).toFixed(0).padStart(4)} GFLOP/s`);
  }
}

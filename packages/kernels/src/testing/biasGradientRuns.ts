/**
 * Run as a process of its own, since the emulation opens its trace once in a process: products that sum a factor besides, stored in
 * bf16, on the emulated CUDA executor. Prints, a JSON line each, the title, the largest error of the weight's and of the bias's
 * gradient against the reference, and whether other orders of threads give the same bits; writes titles into the trace.
 * `../biasGradient.test.ts`.
 */
import { appendFileSync } from "node:fs";
import { referenceExecutor } from "@espalier/graph";
import { runInBf16, withRoundedInputs } from "./bf16Case.ts";
import { matmulCases } from "./cases/matmul.ts";
import { largestError, runCase } from "./opCase.ts";

const trace = process.env.ESPALIER_EMULATION_TRACE!;
for (const opCase of matmulCases.filter(({ attributes }) => attributes!.biasGrad && attributes!.bf16)) {
  const expected = await runCase(referenceExecutor(), opCase, withRoundedInputs(opCase));
  appendFileSync(trace, `-- ${opCase.note}\n`);
  const found = await runInBf16(opCase, 1);
  appendFileSync(trace, `-- other orders\n`);
  const others = [await runInBf16(opCase, 2), await runInBf16(opCase, 5)];
  const same = others.every((other) => other.every((values, i) => Buffer.compare(Buffer.from(values.buffer), Buffer.from(found[i]!.buffer)) === 0));
  console.log(JSON.stringify({ title: opCase.note, accumulate: opCase.attributes!.accumulate, errors: expected.map((values, i) => largestError(values, found[i]!)), same }));
}
appendFileSync(trace, `-- end\n`);

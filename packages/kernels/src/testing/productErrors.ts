/**
 * Run as a process of its own, since libraries are opened once in a process: runs products on the emulated CUDA executor and
 * prints, a JSON line each, the op, the title and the largest error against the reference. `../cudaLibraries.test.ts`.
 */
import { referenceExecutor } from "@espalier/graph";
import { cudaExecutor } from "../cudaExecutor.ts";
import { emulatedCuda } from "../cudaLibrary.ts";
import { runInBf16, withRoundedInputs } from "./bf16Case.ts";
import { linearCrossEntropyCases } from "./cases/linearCrossEntropy.ts";
import { matmulCases } from "./cases/matmul.ts";
import { largestError, runCase } from "./opCase.ts";

const executor = cudaExecutor({ libraryPath: emulatedCuda() });
const small = ({ note }: { note: string }) => !note.includes("V=9000"); // the stand-in's loops are slow
for (const opCase of [...matmulCases, ...linearCrossEntropyCases.filter(small)]) {
  const expected = await runCase(referenceExecutor(), opCase);
  const found = await runCase(executor, opCase);
  const error = Math.max(...expected.map((values, i) => largestError(values, found[i]!)));
  console.log(JSON.stringify({ op: opCase.op, title: `${opCase.op} ${opCase.note}`, error: error / (opCase.patience ?? 1) }));
  const stored = await runInBf16(opCase, 1);
  const beside = await runCase(referenceExecutor(), opCase, withRoundedInputs(opCase));
  const storedError = Math.max(...beside.map((values, i) => largestError(values, stored[i]!)));
  console.log(JSON.stringify({ op: "stored in bf16", title: `${opCase.op} ${opCase.note}`, error: storedError / (opCase.patience ?? 1) }));
}

import { linearCrossEntropyCases } from "./cases/linearCrossEntropy.ts";
import { matmulCases } from "./cases/matmul.ts";
import { optimizerCases } from "./cases/optimizer.ts";
import type { OpCase } from "./opCase.ts";

/** Every case that `ops.test.ts` runs on every backend, by the file of `cases/` that it stands in. */
export const opCases: readonly OpCase[] = [...matmulCases, ...linearCrossEntropyCases, ...optimizerCases];

import { attentionOpCases } from "./cases/attention.ts";
import { inferenceCases } from "./cases/inference.ts";
import { linearCrossEntropyCases } from "./cases/linearCrossEntropy.ts";
import { matmulCases } from "./cases/matmul.ts";
import { normOpCases } from "./cases/norms.ts";
import { optimizerCases } from "./cases/optimizer.ts";
import { pointwiseCases } from "./cases/pointwise.ts";
import type { OpCase } from "./opCase.ts";

/** Every case that `ops.test.ts` runs on every backend, by the file of `cases/` that it stands in. */
export const opCases: readonly OpCase[] = [
  ...pointwiseCases,
  ...normOpCases,
  ...attentionOpCases,
  ...inferenceCases,
  ...matmulCases,
  ...linearCrossEntropyCases,
  ...optimizerCases,
];

import { memoryOfPrograms } from "@espalier/cost";
import type { Executor } from "@espalier/graph";
import { cpuExecutor, nativeStatus } from "@espalier/kernels";
import { type ModelConfig, numParameters } from "@espalier/spec/model";
import { evaluationProgram, microStepProgram } from "@espalier/trainer";
import type { Corpus } from "@espalier/tokenizer/node";

/**
 * Bytes that a job takes beyond the JavaScript engine: what the programs of its largest stage are planned to take with the
 * room that their kernels need on one thread, both moments, the validation tokens, and what its largest growth holds
 * beside the new model: the source's weights, gradients and moments on the device, and weights and moments of both models
 * on the host. Neither the engine nor the heap of small buffers gives that back afterwards, so it counts on top of the
 * stage. Training tokens are read from disk; the loader's ring is the engine's.
 *
 * @param models  of its stages, in order
 */
export function plannedBytes(models: readonly ModelConfig[], microBatchSize: number, { validation }: Pick<Corpus, "validation">): number {
  const executor = nativeStatus().available ? cpuExecutor({ numThreads: 1 }) : undefined;
  return Math.max(...models.map((model) => stageBytes(model, microBatchSize, executor))) + growthBytes(models) + validation.tokens.byteLength;
}

function stageBytes(model: ModelConfig, microBatchSize: number, executor: Executor | undefined): number {
  const shape = { B: microBatchSize, T: model.seqLen };
  const programs = [microStepProgram(model, shape), evaluationProgram(model, shape)];
  const scratch = programs.map((program) => {
    const loaded = executor?.load(program);
    const bytes = loaded?.scratchBytes ?? 0;
    loaded?.free();
    return bytes;
  });
  return memoryOfPrograms(programs).peakBytes + Math.max(...scratch) + 8 * numParameters(model); // the moments
}

/** Of the growth that holds most; 0 for a job of one stage. */
export function growthBytes(models: readonly ModelConfig[]): number {
  return Math.max(0, ...models.slice(1).map((target, i) => (16 + 12) * numParameters(models[i]!) + 12 * numParameters(target)));
}

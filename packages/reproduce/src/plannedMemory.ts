import { type ExperimentJob, memoryOfPrograms } from "@espalier/cost";
import { evaluationProgram, microStepProgram } from "@espalier/trainer";
import type { Corpus } from "@espalier/tokenizer/node";

/**
 * Bytes that a training process will need, from the programs that it will run: the plan of the largest stage, and the
 * token shards that it reads into memory. The JavaScript engine comes on top.
 */
export function plannedBytes(job: ExperimentJob, microBatchSize: number, { train, validation, extra }: Corpus): number {
  const { model } = job.stages.at(-1)!;
  const shape = { B: microBatchSize, T: model.seqLen };
  const programs = memoryOfPrograms([microStepProgram(model, shape), evaluationProgram(model, shape)]).peakBytes;
  return programs + train.tokens.byteLength + validation.tokens.byteLength + (extra?.tokens.byteLength ?? 0);
}

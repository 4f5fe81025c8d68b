import { memoryOfPrograms } from "@espalier/cost";
import type { ModelConfig } from "@espalier/spec/model";
import { evaluationProgram, microStepProgram } from "@espalier/trainer";
import type { Corpus } from "@espalier/tokenizer/node";

/**
 * Bytes that training a model takes beyond the JavaScript engine: what its programs are planned to take, both moments,
 * and the token shards, which are read into memory.
 */
export function plannedBytes(model: ModelConfig, microBatchSize: number, { train, validation, extra }: Corpus): number {
  const shape = { B: microBatchSize, T: model.seqLen };
  const step = microStepProgram(model, shape);
  const programs = memoryOfPrograms([step, evaluationProgram(model, shape)]).peakBytes;
  // The micro-step owns weights and gradients; the optimiser adds two moments of the same size.
  const owned = step.tensors.reduce((sum, { region, bytes }) => sum + (region === "owned" ? bytes : 0), 0);
  return programs + owned + train.tokens.byteLength + validation.tokens.byteLength + (extra?.tokens.byteLength ?? 0);
}

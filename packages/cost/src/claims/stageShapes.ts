import { blockParameters, megatronFlops, type MegatronShape } from "../flops.ts";
import type { Interval } from "../printed.ts";

/** A shape that a stage with an unpublished shape may have had. */
export interface AdmissibleShape {
  numLayers: number;
  hiddenSize: number;
  parameters: number;
}

/** What is known of a stage of which only the nominal size and the layout were published. */
export interface StageConstraints {
  nominalParameters: number;
  tensorParallel: number;
  pipelineParallel: number;
  vocabSize: number;
  /** Allowed |N / nominal - 1|. */
  tolerance: number;
  /** No stage is larger than the final model on any axis. */
  largest: { numLayers: number; hiddenSize: number };
  headDim: number;
}

/**
 * Every (L, h) with heads of `headDim`, heads divisible by the tensor-parallel degree, layers by the pipeline degree,
 * and N = L (12 h^2 + 13 h) + V h + 2 h (tied head, biases, two LayerNorms a block) within the tolerance.
 */
export function admissibleShapes(constraints: StageConstraints): AdmissibleShape[] {
  const { nominalParameters, tensorParallel, pipelineParallel, vocabSize, tolerance, largest, headDim } = constraints;
  const shapes: AdmissibleShape[] = [];
  const widthStep = headDim * tensorParallel;
  for (let hiddenSize = widthStep; hiddenSize <= largest.hiddenSize; hiddenSize += widthStep) {
    for (let numLayers = pipelineParallel; numLayers <= largest.numLayers; numLayers += pipelineParallel) {
      const parameters =
        blockParameters({ numLayers, hiddenSize }) + 13 * numLayers * hiddenSize + (vocabSize + 2) * hiddenSize;
      if (Math.abs(parameters / nominalParameters - 1) <= tolerance) shapes.push({ numLayers, hiddenSize, parameters });
    }
  }
  return shapes;
}

/** Smallest and largest training FLOPs over admissible shapes, without recomputation. */
export function flopsRangeOver(
  shapes: readonly AdmissibleShape[],
  context: Pick<MegatronShape, "seqLen" | "vocabSize">,
  tokens: number,
): Interval {
  const flops = shapes.map((shape) => megatronFlops({ ...shape, ...context }, tokens));
  return [Math.min(...flops), Math.max(...flops)];
}

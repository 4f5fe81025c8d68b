import { type ModelConfig, modelConfig, numParameters } from "@espalier/spec/model";

/** A rung of the ladder of target shapes: layers divisible by four (one-hop depth x 4), an even number of heads. */
export interface Rung {
  numLayers: number;
  residualDim: number;
  headDim: number;
}

/** Targets from small to large; head size 12 to 32. */
export const ladder: readonly Rung[] = [
  { numLayers: 4, residualDim: 48, headDim: 12 },
  { numLayers: 8, residualDim: 48, headDim: 12 },
  { numLayers: 8, residualDim: 56, headDim: 14 },
  { numLayers: 8, residualDim: 64, headDim: 16 },
  { numLayers: 8, residualDim: 72, headDim: 18 },
  { numLayers: 8, residualDim: 80, headDim: 20 },
  { numLayers: 8, residualDim: 88, headDim: 22 },
  { numLayers: 8, residualDim: 96, headDim: 24 },
  { numLayers: 8, residualDim: 104, headDim: 26 },
  { numLayers: 8, residualDim: 112, headDim: 28 },
  { numLayers: 8, residualDim: 120, headDim: 20 },
  { numLayers: 8, residualDim: 128, headDim: 32 },
  { numLayers: 8, residualDim: 144, headDim: 24 },
  { numLayers: 8, residualDim: 160, headDim: 20 },
  { numLayers: 8, residualDim: 192, headDim: 24 },
  { numLayers: 12, residualDim: 192, headDim: 24 },
  { numLayers: 12, residualDim: 256, headDim: 32 },
  { numLayers: 16, residualDim: 320, headDim: 32 },
  { numLayers: 16, residualDim: 384, headDim: 32 },
  { numLayers: 16, residualDim: 512, headDim: 32 },
];

/** The one target of the smoke scale. */
export const smokeRung: Rung = { numLayers: 4, residualDim: 32, headDim: 16 };

/**
 * The target below which work is dropped rather than size. Above it the largest rung is taken for which nothing has to
 * be dropped: in ten minutes about C96 on two quiet cores of 180 GFLOP/s.
 */
export const preferredRung: Rung = ladder.find((rung) => rung.numLayers === 8 && rung.residualDim === 72)!;

/** Vocabulary and context of the experiment. */
export interface TextShape {
  vocabSize: number;
  seqLen: number;
}

/**
 * Standard deviation of initial weights. GPT-2's 0.02 belongs to C = 768 (0.55 / sqrt(C)); at these widths it holds deep
 * models back for most of a short run, which would flatter growth. Measured here on L8 C96, 1,123 steps, best rate of
 * each: 3.05 nats with 0.02, 2.91 with 0.05, 2.80 with 0.1.
 */
const INIT_STD = 0.1;

/** The FLM-family model of a rung. */
export function rungModel({ numLayers, residualDim, headDim }: Rung, text: TextShape): ModelConfig {
  return modelConfig({ family: "flm", ...text, numLayers, residualDim, numKvHeads: residualDim / headDim, headDim, initStd: INIT_STD });
}

/** Parameters in blocks, the count that tokens per parameter is stated in: 12 L C^2. */
export function numBlockParameters({ numLayers, residualDim }: Pick<ModelConfig, "numLayers" | "residualDim">): number {
  return 12 * numLayers * residualDim * residualDim;
}

/** The paper's sizes as shares of the final one: 16 : 51 : 101. */
const paperSizeRatio: readonly [number, number, number] = [16, 51, 101];

/**
 * Shapes of the stages before the target whose parameters come closest to the wanted ratio (in the logarithm). Each
 * stage is no larger than the next on any axis; layers divide the target's, as depth growth copies whole stacks;
 * width is a multiple of the head size. No stage is shallower than a quarter of the target: one-layer bases lost to
 * training from scratch (arXiv:2405.15319, ablations).
 */
export function stageModels(target: Rung, text: TextShape, ratio: readonly number[] = paperSizeRatio): ModelConfig[] {
  const final = rungModel(target, text);
  const candidates: ModelConfig[] = [];
  for (let numLayers = target.numLayers / 4; numLayers <= target.numLayers; numLayers++) {
    if (target.numLayers % numLayers !== 0) continue;
    for (let residualDim = target.headDim; residualDim <= target.residualDim; residualDim += target.headDim) {
      candidates.push(rungModel({ ...target, numLayers, residualDim }, text));
    }
  }
  const stages = [final];
  for (let i = ratio.length - 2; i >= 0; i--) {
    const wanted = (numParameters(final) * ratio[i]!) / ratio.at(-1)!;
    const next = stages[0]!;
    const smaller = candidates.filter(
      (model) =>
        model.numLayers <= next.numLayers &&
        model.residualDim <= next.residualDim &&
        (model.numLayers < next.numLayers || model.residualDim < next.residualDim),
    );
    const distance = (model: ModelConfig) => Math.abs(Math.log(numParameters(model) / wanted));
    stages.unshift(smaller.reduce((best, model) => (distance(model) < distance(best) ? model : best)));
  }
  return stages;
}

/**
 * Fixed shapes that a fair rival may have at the grown run's FLOPs, the most promising first: shallow at the target's
 * width, wider, deeper, half of both, twice as wide.
 */
export function rivalModels(target: Rung, text: TextShape): ModelConfig[] {
  const { numLayers: L, residualDim: C } = target;
  const shapes: Rung[] = [
    { ...target, numLayers: L / 4 },
    { ...target, numLayers: L / 4, residualDim: C * 1.5 },
    { ...target, numLayers: L / 2 },
    { ...target, numLayers: L / 2, residualDim: C / 2 },
    { ...target, numLayers: L / 4, residualDim: C * 2 },
  ];
  return shapes.map((shape) => rungModel(shape, text));
}

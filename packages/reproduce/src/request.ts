import { join } from "node:path";
import type { Progress } from "@espalier/core";
import type { CorpusInput } from "@espalier/tokenizer/node";
import type { ExperimentFile, ProceduralText } from "./experiment.ts";

export interface ReproduceRequest {
  scale: "smoke" | "default";
  /** From the first line to the written report. */
  minutes: number;
  seed: number;
  directory: string;
  corpus: { name: string; inputs: readonly CorpusInput[] };
  /** A finished plan to be repeated instead of a new one. */
  plan?: ExperimentFile;
}

/** What the surroundings provide: the workspace compiles and bundles, the published package carries both. */
export interface ReproduceHooks {
  /** One sentence for the reader. */
  line(text: string): void;
  progress: Progress;
  signal: AbortSignal;
  /** Makes sure that the native executor is there; returns one sentence about the compiler. */
  prepareNative(progress: Progress): Promise<string>;
  /** HTML of the report page without a report. */
  page(): Promise<string>;
}

/** What a scale fixes before anything is measured. */
export const SCALES = {
  default: { vocabSize: 1024, seqLen: 128, items: 50, generatedShare: 0.1, generatedDocuments: 12_000 },
  smoke: { vocabSize: 512, seqLen: 64, items: 8, generatedShare: 0.1, generatedDocuments: 1_000 },
} as const;
/** Tested but never trained on: close to copying, which is trained on, so that transfer would show. */
const LEFT_OUT = "fullRepeating";

/** Paths inside the directory of a reproduction. */
export const reproductionPaths = {
  corpus: (directory: string) => join(directory, "corpus"),
  plan: (directory: string) => join(directory, "plan.json"),
  machine: (directory: string) => join(directory, "machine.json"),
};

/** Generated documents of in-context tasks in the training text. */
export function proceduralText({ plan, scale }: ReproduceRequest): ProceduralText {
  const { generatedShare, generatedDocuments } = SCALES[scale];
  return plan?.procedural ?? { share: generatedShare, documents: generatedDocuments, seed: 1, leftOut: LEFT_OUT };
}

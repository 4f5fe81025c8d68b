import type { TrainPlan } from "@espalier/spec/plan";
import { type DocumentEnds, findDocumentEnds, packingStatistics, type PackingStatistics, type TokenSource } from "@espalier/tokenizer";
import { openDocumentEnds, type TokenFile } from "@espalier/tokenizer/node";
import type { BatchStream } from "./batches.ts";
import { packingSeparator, type TrainData } from "./data.ts";
import type { MicroBatch } from "./optimizer.ts";

/** How a source's documents lie in the rows that a plan trains on. */
export interface SourcePacking extends PackingStatistics {
  source: string;
}

/**
 * What packing makes of each source: rows, padding, documents cut, and how many would be cut without it. Nothing for a
 * plan that does not pack.
 *
 * @throws {ConfigError} when the plan packs and the data say no separator
 * @throws {FileError} when a shard's ends cannot be read
 */
export async function trainingPacking(plan: TrainPlan, data: TrainData): Promise<SourcePacking[]> {
  const separator = packingSeparator(plan, data);
  if (separator === undefined) return [];
  const found: SourcePacking[] = [];
  for (const { name, tokens } of data.sources) {
    const { ends, close } = await endsOf(tokens, separator);
    try {
      found.push({ source: name, ...packingStatistics(ends, plan.stages[0]!.model.seqLen) });
    } finally {
      close();
    }
  }
  return found;
}

async function endsOf(tokens: TokenSource["tokens"], separator: number): Promise<{ ends: DocumentEnds; close: () => void }> {
  if (!isShard(tokens)) return { ends: findDocumentEnds(tokens, separator), close: () => {} };
  const ends = await openDocumentEnds(tokens.path, { digest: false });
  return { ends, close: () => ends.close() };
}

/** Whether tokens stay in a shard on disk, which has a file of its documents' ends. */
export const isShard = (tokens: TokenSource["tokens"]): tokens is TokenFile => "path" in tokens && "header" in tokens;

/** The micro-batches of one optimiser step, and the targets that its loss is a mean over. */
export interface StepBatches {
  numTargets: number;
  /** Micro-batch i; called for each in turn. */
  batch: (i: number) => MicroBatch;
}

/**
 * Takes the next step's micro-batches from a stream. Rows end to end have a target everywhere, so each is taken when it is
 * due; of packed ones the step's targets have to be counted first, so all are copied.
 */
export function stepBatches(stream: BatchStream, { packing, gradAccumSteps, microBatchSize }: TrainPlan, seqLen: number): StepBatches {
  if (packing === undefined) return { numTargets: gradAccumSteps * microBatchSize * seqLen, batch: () => stream.next() };
  const all = Array.from({ length: gradAccumSteps }, (): MicroBatch => {
    const { tokens, targets } = stream.next();
    return { tokens: tokens.slice(), targets: targets.slice() };
  });
  const numTargets = all.reduce((sum, { targets }) => targets.reduce((count, target) => count + (target >= 0 ? 1 : 0), sum), 0);
  return { numTargets: Math.max(1, numTargets), batch: (i) => all[i]! }; // a step of padding alone: loss 0, not 0 / 0
}

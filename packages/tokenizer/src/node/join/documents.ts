import { join } from "node:path";
import { CORPUS_FILES, type CorpusManifest } from "../manifest.ts";
import { DUPLICATE } from "../pipeline/state.ts";
import { type LoggedDocument, readLog } from "../prepare/documentLog.ts";
import { shardDocuments } from "../shard.ts";
import type { DocumentPlace } from "../spans/spanFinder.ts";

/** A slice of a corpus on disk. */
export interface SlicePart {
  path: string;
  manifest: CorpusManifest;
}

/** A document of a slice that no rule dropped. */
export interface SliceDocument {
  logged: LoggedDocument;
  /** Slice, 0, and which of its logged documents. */
  place: DocumentPlace;
  /** With its separator; absent when the slice itself took it for a copy. */
  ids?: Uint32Array;
  source: string;
}

/** The documents of all slices in the order of the corpus. */
export async function* decidedDocuments(parts: readonly SlicePart[], bands: number): AsyncGenerator<SliceDocument> {
  for (const [part, { path, manifest }] of parts.entries()) {
    const sides = [shardDocuments(join(path, CORPUS_FILES.train)), shardDocuments(join(path, CORPUS_FILES.validation))];
    let number = 0;
    for await (const logged of readLog(join(path, CORPUS_FILES.documents), manifest.slice!.numLogged, bands)) {
      const next = logged.decision >= DUPLICATE ? undefined : ((await sides[logged.decision]!.next()).value as { ids: Uint32Array } | undefined);
      const { name } = manifest.inputs[logged.file]!;
      yield { logged, place: [part, 0, number++], ...(next && { ids: next.ids }), source: logged.line > 0 ? `${name}:${logged.line}` : name };
    }
  }
}

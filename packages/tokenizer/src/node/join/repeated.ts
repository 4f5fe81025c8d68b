import { join } from "node:path";
import type { FileSystem } from "@espalier/core/node";
import { repeatedSpans, type ReducedText } from "../../clean/repeatedSpans.ts";
import type { Tokenizer } from "../../tokenizer.ts";
import { CORPUS_FILES } from "../manifest.ts";
import { type CorpusState, DUPLICATE } from "../pipeline/state.ts";
import { spanFinder } from "../spans/findRepeated.ts";
import { readRepeated, writeRepeated } from "../spans/repeatedFile.ts";
import type { DocumentPlace } from "../spans/spanFinder.ts";
import { decidedDocuments, type SlicePart } from "./documents.ts";

/** A document of a slice without the sentences that were seen before. */
export interface ReducedDocument extends Pick<ReducedText, "numRemoved" | "detail" | "example"> {
  /** With the separator; absent when too little is left. */
  ids?: Uint32Array;
  textBytes?: number;
}

export interface RepeatedOfSlices {
  /** Nothing for a document that stays as it is. Documents are asked for in their order. */
  reduce(place: DocumentPlace, ids: Uint32Array | undefined): Promise<ReducedDocument | undefined>;
  /** Removes what was written meanwhile. */
  remove(): Promise<void>;
}

interface Options {
  directory: string;
  digest: string;
  tokenizer: Tokenizer;
  /** A state of its own: which documents are copies. */
  state: CorpusState;
  fileSystem: FileSystem;
  count: () => void;
}

/**
 * Finds the repeated spans of a corpus in the tokens of its slices, which give back the bytes of their texts: slices keep
 * all sentences, because only all of them together say which came first. Nothing when spans are not looked for.
 */
export async function repeatedOfSlices(parts: readonly SlicePart[], { directory, digest, tokenizer, state, fileSystem, count }: Options): Promise<RepeatedOfSlices | undefined> {
  const search = parts[0]!.manifest.slice!.repeatedSpans;
  if (!search) return undefined;
  const spans = repeatedSpans(search);
  const path = join(directory, CORPUS_FILES.repeated);
  const textOf = (ids: Uint32Array) => tokenizer.decode(ids.subarray(0, -1));
  const finder = spanFinder(directory, search);
  try {
    for await (const { logged, place, ids } of decidedDocuments(parts, state.bands)) {
      count();
      if (state.decide(logged.hash, 0, logged.keys, 0, logged.position) < DUPLICATE && ids) finder.add(place, spans.hashes(textOf(ids)));
    }
    await writeRepeated(path, finder.repeated(), digest, fileSystem);
  } finally {
    finder.close();
  }
  const reader = readRepeated(path);
  return {
    async reduce([file, batch, document], ids) {
      const ranges = await reader.ofDocument(file, batch, document);
      if (!ranges || !ids) return undefined;
      const { text, ...reduced } = spans.remove(textOf(ids), ranges);
      if (!text) return reduced;
      const own = tokenizer.encode(text);
      const all = new Uint32Array(own.length + 1);
      all.set(own);
      all[own.length] = ids.at(-1)!;
      return { ...reduced, ids: all, textBytes: text.length };
    },
    async remove() {
      await fileSystem.remove(path);
      await fileSystem.remove(`${path}.json`);
    },
  };
}

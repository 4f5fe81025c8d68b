import { FileError } from "@espalier/core";

/** The parts of a Hugging Face `tokenizer.json` that decide ids. */
export interface TokenizerFile {
  added_tokens: { id: number; content: string }[];
  normalizer: Part | null;
  pre_tokenizer: Part | null;
  post_processor: Part | null;
  decoder: Part | null;
  model: {
    type: string;
    vocab: Record<string, number>;
    /** Pairs; in older files one string `"a b"`. */
    merges: ([string, string] | string)[];
    unk_token?: string | null;
    fuse_unk?: boolean;
    byte_fallback?: boolean;
    ignore_merges?: boolean;
    dropout?: number | null;
    continuing_subword_prefix?: string | null;
    end_of_word_suffix?: string | null;
  };
}

/** Ids are stored in 32 bits. */
const LARGEST_ID = 2 ** 32 - 1;

/** A step of the pipeline: `type` and whatever that type has. */
export type Part = { type: string } & Record<string, unknown>;

/**
 * @param where names the file in errors
 * @throws {FileError} when the text is no such file, or its model is not BPE
 */
export function parseTokenizerFile(text: string, where: string): TokenizerFile {
  let file: Partial<TokenizerFile> | null;
  try {
    file = JSON.parse(text) as Partial<TokenizerFile> | null;
  } catch (cause) {
    throw new FileError(`${where}: not JSON, expected a Hugging Face tokenizer.json. Check the path.`, { cause });
  }
  const model = file?.model;
  if (typeof model?.vocab !== "object" || model.vocab === null || !Array.isArray(model.merges)) {
    throw new FileError(`${where}: ${model?.type === undefined ? "no tokenizer model" : `a ${JSON.stringify(model.type)} model`}, expected BPE with vocab and merges. WordPiece, Unigram and word-level tokenizers cannot be read.`);
  }
  for (const [what, value] of Object.entries({
    dropout: model.dropout,
    continuing_subword_prefix: model.continuing_subword_prefix,
    end_of_word_suffix: model.end_of_word_suffix,
  })) {
    if (value) throw new FileError(`${where}: model.${what} is ${JSON.stringify(value)}, expected none. Such tokenizers cannot be read.`);
  }
  for (const [token, id] of [...Object.entries(model.vocab), ...(file?.added_tokens ?? []).map(({ content, id }) => [content, id] as const)]) {
    if (!Number.isInteger(id) || id < 0 || id > LARGEST_ID) throw new FileError(`${where}: token ${JSON.stringify(token)} has id ${id}, expected a whole number up to ${LARGEST_ID}. The file is damaged.`);
  }
  return { added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...file, model } as TokenizerFile;
}

/** The steps of a part that may be a `Sequence`, in order; `key` is where a sequence has them. */
export function stepsOf(part: Part | null, key: "normalizers" | "pretokenizers" | "processors" | "decoders"): Part[] {
  if (!part) return [];
  return part.type === "Sequence" ? (part[key] as Part[]).flatMap((step) => stepsOf(step, key)) : [part];
}

export function mergePairs(file: TokenizerFile, where: string): [string, string][] {
  return file.model.merges.map((merge, i) => {
    const pair = typeof merge === "string" ? merge.split(" ") : merge;
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((side) => typeof side === "string")) {
      throw new FileError(`${where}: merge ${i} is ${JSON.stringify(merge)}, expected two tokens. The file is damaged.`);
    }
    return pair as [string, string];
  });
}

/** Ids that a `TemplateProcessing` post-processor sets around one text. */
export interface Template {
  before: readonly number[];
  after: readonly number[];
}

export function templateOf(file: TokenizerFile, where: string): Template {
  const before: number[] = [];
  const after: number[] = [];
  for (const step of stepsOf(file.post_processor, "processors")) {
    if (step.type === "ByteLevel") continue; // trims offsets only
    if (step.type !== "TemplateProcessing") throw new FileError(`${where}: post-processor ${step.type}, expected TemplateProcessing. It cannot be read.`);
    const special = step["special_tokens"] as Record<string, { ids: number[] }>;
    let seen = false;
    for (const item of step["single"] as { SpecialToken?: { id: string }; Sequence?: unknown }[]) {
      if (item.Sequence) seen = true;
      else if (item.SpecialToken) (seen ? after : before).push(...special[item.SpecialToken.id]!.ids);
    }
  }
  return { before, after };
}

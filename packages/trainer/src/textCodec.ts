import { ConfigError } from "@espalier/core";
import { END_OF_TEXT, type HuggingFaceTokenizer, type Tokenizer } from "@espalier/tokenizer";

/** What the inference engine needs of a tokenizer: text to ids and back, and the ids with a meaning. */
export interface TextCodec {
  readonly name: string;
  /** All ids are below this. */
  readonly vocabSize: number;
  /** Ids of a text at the beginning of a sequence: after a beginning-of-text id where the model was trained with one. */
  encodeStart(text: string): ArrayLike<number>;
  /** Ids of a text alone. */
  encode(text: string): ArrayLike<number>;
  decodeText(ids: ArrayLike<number>): string;
  /** Stands before a text that has no context. */
  readonly startId: number;
  /** Any of these ends a generation. */
  readonly endIds: ReadonlySet<number>;
  /** How context and continuation become tokens unless the caller says otherwise; see `LanguageModelOptions`. */
  readonly encoding: "separate" | "joint";
  /** Whether a token has this id. */
  isToken(id: number): boolean;
}

/** Tokens that end a document, as vocabularies name theirs: ours first, then what Llama 1 and 2, Llama 3 and Gemma have. */
const documentEnds = [END_OF_TEXT, "</s>", "<|end_of_text|>", "<eos>"];

/** The token that ends a document: `<|endoftext|>`, or what a vocabulary of another family has in its place. */
export const documentEndOf = ({ specialTokens }: Tokenizer): string => documentEnds.find((text) => specialTokens.has(text)) ?? END_OF_TEXT;

/** Our tokenizers: one end-of-text token separates documents, begins and ends them. */
export function codecOf(tokenizer: Tokenizer): TextCodec {
  const endOfText = tokenizer.specialId(documentEndOf(tokenizer));
  const numRanks = tokenizer.ranks.offsets.length - 1;
  const ids = tokenizer.ids && new Set(tokenizer.ids);
  const special = new Set(tokenizer.specialTokens.values());
  const encode = (text: string) => tokenizer.encode(text);
  return {
    name: tokenizer.name,
    vocabSize: tokenizer.vocabSize,
    encodeStart: encode,
    encode,
    decodeText: (written) => tokenizer.decodeText(written),
    startId: endOfText,
    endIds: new Set([endOfText]),
    encoding: "separate",
    isToken: (id) => special.has(id) || (ids ? ids.has(id) : id < numRanks),
  };
}

/**
 * A Hugging Face tokenizer with the ids of its model's configuration. Special tokens inside a text are recognised, as
 * that library does; the file's template puts beginning-of-text before a sequence.
 *
 * @throws {ConfigError} when the model names no id to begin or to end with, or one that the tokenizer does not have
 */
export function huggingFaceCodec(tokenizer: HuggingFaceTokenizer, model: { bosTokenId?: number; eosTokenIds: readonly number[] }): TextCodec {
  const startId = model.bosTokenId ?? model.eosTokenIds[0] ?? tokenizer.template.before[0];
  if (startId === undefined) {
    throw new ConfigError(`${tokenizer.name}: config.json names no bos_token_id and no eos_token_id, expected one. Add it to config.json.`);
  }
  const named = Object.entries({ bos_token_id: model.bosTokenId === undefined ? [] : [model.bosTokenId], eos_token_id: model.eosTokenIds });
  for (const [field, ids] of named) {
    for (const id of ids) {
      if (id >= tokenizer.vocabSize) {
        throw new ConfigError(
          `language model: config.json says ${field} ${id}, but tokenizer ${tokenizer.name} has ids below ${tokenizer.vocabSize}. ` +
            "The two are not of one model: use the tokenizer.json that came with it.",
        );
      }
    }
  }
  const encode = (text: string) => tokenizer.encode(text, { special: "recognize" });
  return {
    name: tokenizer.name,
    vocabSize: tokenizer.vocabSize,
    encode,
    encodeStart(text) {
      const ids = tokenizer.encode(text, { special: "recognize", template: true });
      const [first] = tokenizer.template.before;
      // A prompt that already begins with the text of the beginning token gets no second one.
      return first !== undefined && encode(text)[0] === first ? encode(text) : withoutTail(ids, tokenizer.template.after.length);
    },
    decodeText: (ids) => tokenizer.decodeText(ids),
    startId,
    endIds: new Set(model.eosTokenIds),
    encoding: "joint",
    isToken: (id) => id < tokenizer.vocabSize,
  };
}

/** A text that goes on has no end-of-text after it, whatever the template says of whole texts. */
function withoutTail(ids: Uint32Array, numAfter: number): Uint32Array {
  return numAfter === 0 ? ids : ids.subarray(0, ids.length - numAfter);
}

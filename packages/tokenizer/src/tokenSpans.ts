import { DataError } from "@espalier/core";
import { type HuggingFaceTokenizer, readHuggingFaceTokenizer } from "./formats/huggingFace/read.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** One token of a text as it can be shown. */
export interface TokenSpan {
  id: number;
  /** Its bytes are `bytes[start .. end)` of the text in UTF-8. */
  start: number;
  end: number;
  /** Its characters; absent when it begins or ends inside one, or holds bytes that are no UTF-8. */
  text?: string;
  /** Its name in a vocabulary over characters, which need not be what stands in the text: `▁a`, `<0x0A>`, `<unk>`. */
  token?: string;
}

/**
 * The tokens of a text with their places, for showing them.
 *
 * @param input a string, or the bytes of a text
 * @throws {DataError} when the bytes are no UTF-8 and the tokeniser is one of characters
 */
export function tokenSpans(tokenizer: Tokenizer | HuggingFaceTokenizer, input: string | Uint8Array, special: "text" | "recognize" = "text"): TokenSpan[] {
  if ("spans" in tokenizer) return tokenizer.spans(typeof input === "string" ? input : textFrom(input, tokenizer.name), { special });
  if (tokenizer.huggingFace !== undefined) return tokenSpans(readHuggingFaceTokenizer(tokenizer.huggingFace, tokenizer.name), input, special);
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let start = 0;
  return Array.from(tokenizer.encode(input, { special }), (id) => {
    const bytes = tokenizer.tokenBytes(id);
    const span = { id, start, end: (start += bytes.length) };
    try {
      return { ...span, text: utf8.decode(bytes) };
    } catch {
      return span;
    }
  });
}

function textFrom(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${name}: bytes that are no UTF-8, expected text. A tokenizer of characters has no tokens for them; convert the text, or use a byte-level one.`, { cause });
  }
}

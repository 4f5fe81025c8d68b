import type { Tokenizer } from "./tokenizer.ts";

/** One token of a text as it can be shown. */
export interface TokenSpan {
  id: number;
  /** Its bytes are `bytes[start .. end)` of the text in UTF-8. */
  start: number;
  end: number;
  /** Its characters; absent when it begins or ends inside one, or holds bytes that are no UTF-8. */
  text?: string;
}

/**
 * The tokens of a text with their places, for showing them.
 *
 * @param input a string, or the bytes of a text
 */
export function tokenSpans(tokenizer: Tokenizer, input: string | Uint8Array, special: "text" | "recognize" = "text"): TokenSpan[] {
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

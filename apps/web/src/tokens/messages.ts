import type { EncodeOptions, EncodingName, HuggingFaceTokenizer, Tokenizer, TokenSpan } from "@espalier/tokenizer";

/** Where the page's tokeniser is from: a published encoding with its compressed ranks, or a file of the user. */
export type Source = { encoding: EncodingName; compressed: Uint8Array<ArrayBuffer> } | { file: File };

/** What the page asks of its worker, answered in order. */
export type Request = { kind: "tokenizer"; source: Source } | { kind: "text"; text: string; special: NonNullable<EncodeOptions["special"]> };

/** The tokeniser that is in use from here on. */
export interface Ready extends Pick<Tokenizer | HuggingFaceTokenizer, "name" | "vocabSize" | "encoder"> {
  kind: "ready";
}

/** A text in tokens. */
export interface Tokens {
  kind: "tokens";
  numTokens: number;
  numBytes: number;
  /** Code points. */
  numCharacters: number;
  encodeMs: number;
  /** The first of them. */
  spans: TokenSpan[];
  /** UTF-8 of the text, as far as those reach. */
  bytes: Uint8Array;
}

export type Answer = Ready | Tokens | { kind: "problem"; of: Request["kind"]; message: string };

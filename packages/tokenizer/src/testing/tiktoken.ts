import { get_encoding, type Tiktoken } from "tiktoken";
import { expect } from "vitest";
import type { EncodingName } from "../encodings.ts";
import type { Tokenizer } from "../tokenizer.ts";

const references = new Map<EncodingName, Tiktoken>();

/** What tiktoken 1.0.22 makes of ordinary text. */
export function tiktokenIds(text: string, name: EncodingName = "cl100k_base"): Uint32Array {
  let reference = references.get(name);
  if (!reference) references.set(name, (reference = get_encoding(name)));
  return reference.encode_ordinary(text);
}

/** Same ids as tiktoken; a failure shows the first difference, not two arrays of a million numbers. */
export function expectTiktokenIds(tokenizer: Tokenizer, text: string, name: EncodingName = "cl100k_base"): void {
  expectSameIds(tokenizer, tokenizer.encode(text), tiktokenIds(text, name));
}

/** Same for ids that are there already. */
export function expectSameIds(tokenizer: Tokenizer, ours: Uint32Array, theirs: Uint32Array): void {
  const at = ours.findIndex((id, i) => id !== theirs[i]);
  const from = at >= 0 ? at : ours.length === theirs.length ? -1 : Math.min(ours.length, theirs.length);
  if (from < 0) return;
  const around = (ids: Uint32Array) => [...ids.subarray(Math.max(0, from - 2), from + 4)].map((id) => [id, tokenizer.decodeText([id])]);
  expect({ at: from, ids: around(ours) }).toEqual({ at: from, ids: around(theirs) });
}

import { get_encoding } from "tiktoken";
import { expect } from "vitest";
import type { Tokenizer } from "../tokenizer.ts";

const reference = get_encoding("cl100k_base");

/** What tiktoken 1.0.22 makes of ordinary text. */
export function tiktokenIds(text: string): Uint32Array {
  return reference.encode_ordinary(text);
}

/** Same ids as tiktoken; a failure shows the first difference, not two arrays of a million numbers. */
export function expectTiktokenIds(tokenizer: Tokenizer, text: string): void {
  const ours = tokenizer.encode(text);
  const theirs = tiktokenIds(text);
  const at = ours.findIndex((id, i) => id !== theirs[i]);
  const from = at >= 0 ? at : ours.length === theirs.length ? -1 : Math.min(ours.length, theirs.length);
  if (from < 0) return;
  const around = (ids: Uint32Array) => [...ids.subarray(Math.max(0, from - 2), from + 4)].map((id) => [id, tokenizer.decodeText([id])]);
  expect({ at: from, ids: around(ours) }).toEqual({ at: from, ids: around(theirs) });
}

import type { EncodingName } from "@espalier/tokenizer";
import cl100k from "@espalier/tokenizer/cl100k_base.ranks.gz?url&inline";
import gpt2 from "@espalier/tokenizer/gpt2.ranks.gz?url&inline";
import o200k from "@espalier/tokenizer/o200k_base.ranks.gz?url&inline";
import type { Source } from "./messages.ts";

// In the page itself: opened from disk it may load no other file.
const ranks: Readonly<Record<EncodingName, string>> = { cl100k_base: cl100k, o200k_base: o200k, gpt2 };
export const encodingNames = Object.keys(ranks) as EncodingName[];

/** A published encoding, as the worker takes it. */
export function published(encoding: EncodingName): Source {
  const base64 = ranks[encoding].slice(ranks[encoding].indexOf(",") + 1);
  return { encoding, compressed: Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)) };
}

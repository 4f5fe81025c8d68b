import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gunzipSync } from "node:zlib";
import { type EncodingName, encodingFromRanks } from "../encodings.ts";
import type { Tokenizer } from "../tokenizer.ts";

const loaded = new Map<EncodingName, Tokenizer>();

/** A published encoding, loaded from this package on the first call. */
export function encoding(name: EncodingName): Tokenizer {
  let tokenizer = loaded.get(name);
  if (!tokenizer) {
    const path = createRequire(import.meta.url).resolve(`#ranks/${name}.ranks.gz`); // the same file from sources and from a build
    tokenizer = encodingFromRanks(name, gunzipSync(readFileSync(path)));
    loaded.set(name, tokenizer);
  }
  return tokenizer;
}

export const cl100k = (): Tokenizer => encoding("cl100k_base");

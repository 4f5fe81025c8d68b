import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gunzipSync } from "node:zlib";
import { cl100kFromRanks } from "../cl100k.ts";
import type { Tokenizer } from "../tokenizer.ts";

let loaded: Tokenizer | undefined;

/** cl100k_base, loaded from this package on the first call. */
export function cl100k(): Tokenizer {
  const path = createRequire(import.meta.url).resolve("#cl100k"); // the same file from sources and from a build
  return (loaded ??= cl100kFromRanks(gunzipSync(readFileSync(path))));
}

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { createTokenizer, readCompactRanks, type Tokenizer, type TokenizerDefinition } from "../src/index.ts";

const ranks = readCompactRanks(gunzipSync(readFileSync(new URL("../assets/cl100k_base.ranks.gz", import.meta.url))), "cl100k");

/** A fresh encoder of ours. Apart from the rivals, whose ranks would count as memory of ours. */
export const ours = (encoder: TokenizerDefinition["encoder"]): Tokenizer => createTokenizer({ name: "cl100k", ranks, specialTokens: new Map(), encoder });

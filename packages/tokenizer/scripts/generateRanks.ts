/**
 * Writes assets/cl100k_base.ranks.gz from the ranks in the devDependency gpt-tokenizer, whose file is OpenAI's byte for
 * byte; the sha256 is the one that tiktoken itself expects (tiktoken_ext/openai_public.py).
 *
 * Run once: `node --conditions=@espalier/source scripts/generateRanks.ts`.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants, gzipSync } from "node:zlib";
import { writeCompactRanks } from "../src/formats/compactRanks.ts";
import { readTiktoken } from "../src/formats/tiktoken.ts";

const SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7";

const path = createRequire(import.meta.url).resolve("gpt-tokenizer/data/cl100k_base.tiktoken");
const source = readFileSync(path);
const found = createHash("sha256").update(source).digest("hex");
if (found !== SHA256) throw new Error(`${path}: sha256 is ${found}, expected ${SHA256}`);

const block = writeCompactRanks(readTiktoken(source.toString("latin1"), path));
const compressed = gzipSync(block, { level: constants.Z_BEST_COMPRESSION });
writeFileSync(new URL("../assets/cl100k_base.ranks.gz", import.meta.url), compressed);
console.log(`${block.length} bytes, compressed ${compressed.length}`);

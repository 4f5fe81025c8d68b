/**
 * Writes assets/<encoding>.ranks.gz from the ranks in the devDependency gpt-tokenizer, whose files are OpenAI's byte for
 * byte; each sha256 is the one that tiktoken itself expects (tiktoken_ext/openai_public.py).
 *
 * Run once: `node --conditions=@espalier/source scripts/generateRanks.ts`.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants, gzipSync } from "node:zlib";
import { writeCompactRanks } from "../src/formats/compactRanks.ts";
import { readTiktoken } from "../src/formats/tiktoken.ts";

const sources = {
  cl100k_base: ["cl100k_base", "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"],
  o200k_base: ["o200k_base", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"],
  gpt2: ["r50k_base", "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"], // the same ranks
};

for (const [name, [file, sha256]] of Object.entries(sources)) {
  const path = createRequire(import.meta.url).resolve(`gpt-tokenizer/data/${file}.tiktoken`);
  const source = readFileSync(path);
  const found = createHash("sha256").update(source).digest("hex");
  if (found !== sha256) throw new Error(`${path}: sha256 is ${found}, expected ${sha256}`);

  const block = writeCompactRanks(readTiktoken(source.toString("latin1"), path));
  const compressed = gzipSync(block, { level: constants.Z_BEST_COMPRESSION });
  writeFileSync(new URL(`../assets/${name}.ranks.gz`, import.meta.url), compressed);
  console.log(`${name}: ${block.length} bytes, compressed ${compressed.length}`);
}

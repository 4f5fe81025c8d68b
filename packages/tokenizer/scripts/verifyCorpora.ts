/**
 * Compares the ids of every document of corpora with tiktoken's, for every published encoding and every encoder:
 * `pnpm --filter @espalier/tokenizer verify:corpora <file.jsonl.gz ...>`. Each document is one call, as in a corpus run.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { instructionSets, nativeEncodeCore } from "#native";
import { get_encoding } from "tiktoken";
import { typescriptEncodeCore } from "../src/encodeCore.ts";
import type { EncodingName } from "../src/encodings.ts";
import { encoding } from "../src/node/encoding.ts";
import { tokenizerOf } from "../src/tokenizer.ts";
import { webAssemblyEncodeCore } from "../src/wasm/encodeCore.ts";

const files = process.argv.slice(2);
if (files.length === 0) throw new Error("usage: pnpm --filter @espalier/tokenizer verify:corpora <file.jsonl.gz ...>");
const NAMES: EncodingName[] = ["cl100k_base", "o200k_base", "gpt2"];
let different = 0;

for (const file of files) {
  const texts = gunzipSync(readFileSync(file)).toString("utf8").trim().split("\n").map((line) => (JSON.parse(line) as { text: string }).text);
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  for (const name of NAMES) {
    const reference = get_encoding(name);
    const { ranks, pattern, specialTokens } = encoding(name);
    const cores = [typescriptEncodeCore(ranks, pattern!, name), webAssemblyEncodeCore(ranks, pattern!)!, ...instructionSets().map((set) => nativeEncodeCore(ranks, pattern!, set)!)];
    const tokenizers = cores.map((core) => tokenizerOf({ name, ranks, pattern, specialTokens }, core));
    let numTokens = 0;
    for (const [document, text] of texts.entries()) {
      const expected = reference.encode_ordinary(text);
      numTokens += expected.length;
      for (const tokenizer of tokenizers) {
        const ids = tokenizer.encode(text);
        if (ids.length === expected.length && ids.every((id, at) => id === expected[at])) continue;
        console.error(`${file}, ${name}, ${tokenizer.encoder}: document ${document} differs from tiktoken`);
        different++;
      }
    }
    reference.free();
    console.log(`${file.split("/").at(-1)}, ${name}: ${texts.length} documents, ${(bytes / 1e6).toFixed(1)} MB, ${numTokens} tokens, compared with ${tokenizers.length} encoders`);
  }
}
console.log(`${different} differences`);
process.exitCode = different === 0 ? 0 : 1;

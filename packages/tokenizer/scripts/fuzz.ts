/**
 * Random documents through every encoder and tiktoken: `pnpm --filter @espalier/tokenizer fuzz [documents] [seed]`,
 * a million by default. Stops at the first difference and prints the document, so that it can become a test.
 */
import { random } from "@espalier/core";
import { instructionSets, nativeEncodeCore } from "#native";
import { get_encoding } from "tiktoken";
import { typescriptEncodeCore } from "../src/encodeCore.ts";
import type { EncodingName } from "../src/encodings.ts";
import { encoding } from "../src/node/encoding.ts";
import { randomText } from "../src/testing/randomText.ts";
import { tokenizerOf } from "../src/tokenizer.ts";
import { webAssemblyEncodeCore } from "../src/wasm/encodeCore.ts";

const count = Number(process.argv[2] ?? 1e6);
const seed = process.argv[3] ?? "1";
if (!(count > 0)) throw new Error("usage: pnpm --filter @espalier/tokenizer fuzz [documents] [seed]");
const NAMES: EncodingName[] = ["cl100k_base", "o200k_base", "gpt2"];
const SHARE = [0.8, 0.1, 0.1]; // of the documents

let failed = false;
for (const [i, name] of NAMES.entries()) {
  const reference = get_encoding(name);
  const published = encoding(name);
  const { ranks } = published;
  const pattern = published.pattern!;
  const cores = [
    typescriptEncodeCore(ranks, pattern, name),
    webAssemblyEncodeCore(ranks, pattern)!,
    ...instructionSets().map((set) => nativeEncodeCore(ranks, pattern, set)!),
  ];
  const tokenizers = cores.map((core) => tokenizerOf({ name, ranks, pattern, specialTokens: published.specialTokens }, core));
  const draw = random(seed, name);
  const documents = Math.round(count * SHARE[i]!);
  const started = performance.now();
  let numTokens = 0;
  for (let document = 0; document < documents && !failed; document++) {
    const text = randomText(draw, document);
    const expected = reference.encode_ordinary(text);
    numTokens += expected.length;
    for (const tokenizer of tokenizers) {
      const ids = tokenizer.encode(text);
      if (ids.length === expected.length && ids.every((id, at) => id === expected[at])) continue;
      console.error(`${name}, ${tokenizer.encoder}: document ${document} of seed ${seed} differs from tiktoken: ${JSON.stringify(text)}`);
      failed = true;
    }
  }
  if (failed) break;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const encoders = ["typescript", "wasm", ...instructionSets()].join(", ");
  console.log(`${name}: ${documents} documents, ${numTokens} tokens, equal to tiktoken's with ${encoders} (${seconds} s)`);
}
process.exitCode = failed ? 1 : 0;

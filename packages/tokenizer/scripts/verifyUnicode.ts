/** Compares the class of all 0x110000 code points with tiktoken: `pnpm --filter @espalier/tokenizer verify:unicode`. */
import { get_encoding } from "tiktoken";
import { cl100k } from "../src/node/encoding.ts";

const BATCH = 0x400;
const reference = get_encoding("cl100k_base");
const tokenizer = cl100k();
let different = 0;

/** The character before a contraction, after a letter, and between blanks: each class gives another combination of pieces. */
const probe = (codePoint: number) => {
  const character = String.fromCodePoint(codePoint);
  return `${character}'s a${character} ${character} 1${character}\n`;
};
const agrees = (text: string) => {
  const ours = tokenizer.encode(text);
  const theirs = reference.encode_ordinary(text);
  return ours.length === theirs.length && ours.every((id, i) => id === theirs[i]);
};

for (let first = 0; first < 0x110000; first += BATCH) {
  const codePoints = Array.from({ length: BATCH }, (_, i) => first + i);
  if (agrees(codePoints.map(probe).join(""))) continue;
  for (const codePoint of codePoints) {
    if (agrees(probe(codePoint))) continue;
    console.error(`U+${codePoint.toString(16).padStart(4, "0")} differs from tiktoken`);
    different++;
  }
}
console.log(`${0x110000 - different} code points agree, ${different} differ`);
process.exitCode = different === 0 ? 0 : 1;

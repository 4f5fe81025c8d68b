/** One megabyte of each kind that is made to be slow, each on a fresh encoder in a process of its own. */
import { spawnSync } from "node:child_process";
import { random } from "@espalier/core";
import { ours } from "./ours.ts";

const draw = random(3, "adversarial");
const characters = (count: number, from: number, range: number) =>
  Array.from({ length: count }, (_, i) => String.fromCodePoint(from + draw.integer(i, range))).join("");

export const adversarial: Record<string, () => string> = {
  "one letter": () => "a".repeat(1e6),
  blanks: () => " ".repeat(1e6),
  newlines: () => "\n".repeat(1e6),
  "one sign": () => "!".repeat(1e6),
  "random signs": () => characters(1e6, 33, 15),
  "one random word": () => characters(1e6, 97, 26),
  "Chinese without a break": () => characters(333_333, 0x4e00, 20_000),
  "joined emoji": () => "👩‍👩‍👧".repeat(1e6 / 18),
  "blanks and newlines": () => `${" ".repeat(50)}\n`.repeat(1e6 / 51),
  digits: () => characters(1e6, 48, 10),
  "decoded noise": () => Buffer.from(Array.from({ length: 500_000 }, (_, i) => draw.integer(i, 256))).toString("utf8"),
  "lone surrogates": () => "\ud800".repeat(333_333),
  "odd white space": () => "\u00a0\u0085\ufeff\u2028".repeat(1e6 / 11),
  contractions: () => "'ſ'S'K".repeat(1e6 / 9),
  "special tokens as text": () => "<|endoftext|><|im_start|>".repeat(4e4),
};

export interface AdversarialResult {
  ms: number;
  peakMegabytes: number;
}

/** Time of one call, and the highest resident memory of its whole process. */
export function measureAdversarial(name: string, encoder: "auto" | "wasm" | "typescript"): AdversarialResult {
  const { stdout, stderr } = spawnSync(process.execPath, ["--conditions=@espalier/source", import.meta.filename, name, encoder], { encoding: "utf8" });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout) as AdversarialResult;
}

if (import.meta.main) {
  const [name, encoder] = process.argv.slice(2) as [string, "auto" | "wasm" | "typescript"];
  const text = adversarial[name]!();
  const tokenizer = ours(encoder);
  const start = performance.now();
  tokenizer.encode(text);
  const ms = performance.now() - start;
  console.log(JSON.stringify({ ms, peakMegabytes: process.resourceUsage().maxRSS / 1000 }));
}

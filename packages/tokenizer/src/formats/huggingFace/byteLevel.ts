import { FileError } from "@espalier/core";
import type { PatternName } from "../../pretokenize/patterns.ts";
import { createTokenizer, type Tokenizer } from "../../tokenizer.ts";
import { ranksOf } from "../../vocabulary.ts";
import { charactersToBytes } from "./byteCharacters.ts";
import { mergePairs, stepsOf, type TokenizerFile } from "./file.ts";
import { patternOfRegex } from "./regexes.ts";
import { splitsOf } from "./splits.ts";

/** True when the file is byte-level BPE: its pre-tokeniser turns bytes into printable characters. */
export const isByteLevel = (file: TokenizerFile): boolean => stepsOf(file.pre_tokenizer, "pretokenizers").some(({ type }) => type === "ByteLevel");

/**
 * A byte-level file as one of our tokenisers. Ranks are the order of merges; ids are the file's.
 *
 * Files merge listed pairs, we merge what spells a token: the same as long as every token's own bytes end in a listed
 * merge, which is checked for each.
 *
 * @throws {FileError} naming what cannot be read
 */
export function readByteLevel(file: TokenizerFile, name: string, where: string): Tokenizer {
  const { vocab } = file.model;
  const added = new Map(file.added_tokens.map(({ content, id }) => [content, id]));
  const tokens: Uint8Array[] = [];
  const ids: number[] = [];
  const rankOf = new Map<string, number>();
  const add = (token: string) => {
    const id = vocab[token];
    const bytes = charactersToBytes(token);
    if (id === undefined || !bytes) throw new FileError(`${where}: token ${JSON.stringify(token)} is not in the vocabulary or no text of bytes, expected both. The file is damaged.`);
    rankOf.set(token, tokens.length);
    tokens.push(bytes);
    ids.push(id);
  };
  const singles = Object.entries(vocab).filter(([token]) => token.length === 1 && !added.has(token));
  for (const [token] of singles.sort(([, a], [, b]) => a - b)) add(token);

  const pairs = new Map<string, Set<string>>(); // token to the pairs that make it
  for (const [left, right] of mergePairs(file, where)) {
    const token = left + right;
    if (!rankOf.has(token)) add(token);
    if (!pairs.has(token)) pairs.set(token, new Set());
    pairs.get(token)!.add(`${left} ${right}`);
  }
  const ranks = ranksOf(tokens);
  const names = [...rankOf.keys()];
  splitsOf(ranks, where).forEach((split, rank) => {
    if (names[rank]!.length === 1) return;
    const pair = split && `${names[split[0]]} ${names[split[1]]}`;
    if (pair && pairs.get(names[rank]!)!.has(pair)) return;
    throw new FileError(`${where}: no listed merge ends in token ${JSON.stringify(names[rank])} on its own bytes, expected one. Such a vocabulary cannot be read.`);
  });
  const unmerged = Object.keys(vocab).find((token) => !rankOf.has(token) && !added.has(token));
  if (unmerged !== undefined && file.model.ignore_merges) {
    throw new FileError(`${where}: token ${JSON.stringify(unmerged)} has no merge although ignore_merges is set, expected one for each. Such a vocabulary cannot be read.`);
  }
  return createTokenizer({
    name,
    pattern: patternOf(file, where),
    ranks,
    specialTokens: added,
    ...(ids.some((id, rank) => id !== rank) && { ids: Uint32Array.from(ids) }),
  });
}

function patternOf(file: TokenizerFile, where: string): PatternName {
  const steps = stepsOf(file.pre_tokenizer, "pretokenizers");
  const refuse = (what: string): never => {
    throw new FileError(`${where}: pre-tokenizer ${what}, expected ByteLevel, alone or after a Split by the pattern of GPT-2, cl100k, o200k or Qwen 2. It cannot be read.`);
  };
  const [first, second] = steps;
  const byteLevel = second ?? first!;
  if (steps.length > 2 || byteLevel.type !== "ByteLevel" || byteLevel["add_prefix_space"]) refuse(JSON.stringify(file.pre_tokenizer));
  if (!second) return byteLevel["use_regex"] === false ? refuse("without a pattern") : "gpt2";
  const regex = (first!["pattern"] as { Regex?: string } | undefined)?.Regex;
  const whole = (first!["behavior"] === "Isolated" && !first!["invert"]) || (first!["behavior"] === "Removed" && first!["invert"] === true);
  if (first!.type !== "Split" || regex === undefined || !whole || byteLevel["use_regex"] !== false) refuse(JSON.stringify(file.pre_tokenizer));
  return patternOfRegex(regex!) ?? refuse(JSON.stringify(regex));
}

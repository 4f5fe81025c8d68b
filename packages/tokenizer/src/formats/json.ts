import { FileError } from "@espalier/core";
import { type PatternName, patterns } from "../pretokenize/patterns.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer.ts";
import { ranksOf } from "../vocabulary.ts";
import { fromBase64, toBase64 } from "./base64.ts";

const FORMAT = "espalier-tokenizer";
const VERSION = 1;

interface TokenizerJson {
  format: string;
  version: number;
  name: string;
  pattern: PatternName;
  /** Digest of the tokeniser, checked when it is read. */
  digest: string;
  specialTokens: Record<string, number>;
  /** base64 of every token in rank order. */
  tokens: string[];
  /** Id of every rank, where they differ. */
  ids?: number[];
}

/** A tokeniser as JSON text, one token a line. */
export function writeTokenizerJson(tokenizer: Tokenizer): string {
  const { bytes, offsets } = tokenizer.ranks;
  const json: TokenizerJson = {
    format: FORMAT,
    version: VERSION,
    name: tokenizer.name,
    pattern: tokenizer.pattern,
    digest: tokenizer.digest,
    specialTokens: Object.fromEntries(tokenizer.specialTokens),
    tokens: Array.from({ length: offsets.length - 1 }, (_, rank) => toBase64(bytes.subarray(offsets[rank]!, offsets[rank + 1]!))),
    ...(tokenizer.ids && { ids: [...tokenizer.ids] }),
  };
  return `${JSON.stringify(json, null, 1)}\n`;
}

/**
 * Reads what `writeTokenizerJson` wrote.
 *
 * @param where names the source in errors
 * @throws {FileError} when the text is of another format or version, damaged, or its digest does not fit its tokens
 */
export function readTokenizerJson(text: string, where: string): Tokenizer {
  const json = parse(text, where);
  if (json.format !== FORMAT || json.version !== VERSION || !Object.hasOwn(patterns, json.pattern)) {
    throw new FileError(
      `${where}: format ${json.format} version ${json.version} pattern ${json.pattern}, expected ${FORMAT} version ${VERSION} pattern ${Object.keys(patterns).join(" or ")}. Train the tokenizer again.`,
    );
  }
  const damaged = (what: string) => new FileError(`${where}: ${what}. The file is damaged; train the tokenizer again.`);
  if (!Array.isArray(json.tokens) || typeof json.specialTokens !== "object" || json.specialTokens === null) {
    throw damaged("no list of tokens or no special tokens, expected both");
  }
  const tokens = json.tokens.map((base64, rank) => {
    const token = typeof base64 === "string" ? fromBase64(base64) : undefined;
    if (!token) throw damaged(`token ${rank} is ${JSON.stringify(base64)}, expected base64`);
    return token;
  });
  const tokenizer = createTokenizer({
    name: String(json.name),
    ranks: ranksOf(tokens),
    specialTokens: new Map(Object.entries(json.specialTokens)),
    pattern: json.pattern,
    ...(json.ids && { ids: Uint32Array.from(json.ids) }),
  });
  if (tokenizer.digest !== json.digest) throw damaged(`digest of the tokens is ${tokenizer.digest}, expected ${json.digest}`);
  return tokenizer;
}

function parse(text: string, where: string): TokenizerJson {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null) return json as TokenizerJson;
  } catch {
    // said below
  }
  throw new FileError(`${where}: not a JSON object, expected a tokenizer written by Espalier. Check the path.`);
}

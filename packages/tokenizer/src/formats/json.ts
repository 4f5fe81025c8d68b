import { FileError } from "@espalier/core";
import { type PatternName, patterns } from "../pretokenize/patterns.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer.ts";
import { type Ranks, ranksOf } from "../vocabulary.ts";
import { textTokenizer } from "./huggingFace/textTokenizer.ts";
import { base64Length, fromBase64, writeBase64 } from "./base64.ts";

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

/** What is stored of a tokeniser that a file of Hugging Face defines. */
interface WrappedJson extends Pick<TokenizerJson, "format" | "version" | "name" | "digest"> {
  huggingFace: object;
}
const WRAPPED_VERSION = 2;

/** A tokeniser as JSON text, one token a line; a `tokenizer.json` over characters or behind a normaliser as it is, inside. */
export function writeTokenizerJson(tokenizer: Tokenizer): string {
  if (tokenizer.huggingFace !== undefined) {
    const wrapped: WrappedJson = { format: FORMAT, version: WRAPPED_VERSION, name: tokenizer.name, digest: tokenizer.digest, huggingFace: JSON.parse(tokenizer.huggingFace) as object };
    return `${JSON.stringify(wrapped)}\n`;
  }
  const json: TokenizerJson = {
    format: FORMAT,
    version: VERSION,
    name: tokenizer.name,
    pattern: tokenizer.pattern!,
    digest: tokenizer.digest,
    specialTokens: Object.fromEntries(tokenizer.specialTokens),
    tokens: [],
    ...(tokenizer.ids && { ids: [...tokenizer.ids] }),
  };
  const [before, behind] = `${JSON.stringify(json, null, 1)}\n`.split(NO_TOKENS) as [string, string];
  return `${before}${tokensJson(tokenizer.ranks)}${behind}`;
}

/** Stands in no string of the file, where its quotes would be escaped. */
const NO_TOKENS = '\n "tokens": []';

/** What `JSON.stringify` gives for the tokens, a hundred thousand strings, without making them one by one. */
function tokensJson({ bytes, offsets }: Ranks): string {
  const numTokens = offsets.length - 1;
  let size = 0;
  for (let rank = 0; rank < numTokens; rank++) size += base64Length(offsets[rank + 1]! - offsets[rank]!) + 6;
  const lines = new Uint8Array(size);
  let at = 0;
  for (let rank = 0; rank < numTokens; rank++) {
    lines[at] = 0x0a;
    lines[at + 1] = lines[at + 2] = 0x20;
    lines[at + 3] = 0x22;
    at = writeBase64(bytes, offsets[rank]!, offsets[rank + 1]!, lines, at + 4);
    lines[at++] = 0x22;
    lines[at++] = 0x2c; // quote and comma, behind the last no comma
  }
  return `\n "tokens": [${new TextDecoder().decode(lines.subarray(0, -1))}\n ]`;
}

/**
 * Reads what `writeTokenizerJson` wrote.
 *
 * @param where names the source in errors
 * @throws {FileError} when the text is of another format or version, damaged, or its digest does not fit its tokens
 */
export function readTokenizerJson(text: string, where: string): Tokenizer {
  const json = parse(text, where);
  if (json.format === FORMAT && json.version === WRAPPED_VERSION) return unwrapped(json as unknown as Partial<WrappedJson>, where);
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

function unwrapped({ name, digest, huggingFace }: Partial<WrappedJson>, where: string): Tokenizer {
  const inside = textTokenizer(JSON.stringify(huggingFace ?? null), where);
  if (inside.digest !== digest) throw new FileError(`${where}: digest of the tokenizer is ${inside.digest}, expected ${digest}. The file is damaged; tokenize the corpus again.`);
  return Object.defineProperty(inside, "name", { value: String(name) });
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

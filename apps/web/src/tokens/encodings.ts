import { encodingFromGzip, type EncodingName, type HuggingFaceTokenizer, readHuggingFaceTokenizer, readTiktoken, readTokenizerJson, createTokenizer, type Tokenizer } from "@espalier/tokenizer";
import cl100k from "@espalier/tokenizer/cl100k_base.ranks.gz?url&inline";
import gpt2 from "@espalier/tokenizer/gpt2.ranks.gz?url&inline";
import o200k from "@espalier/tokenizer/o200k_base.ranks.gz?url&inline";

// In the page itself: opened from disk it may load no other file.
const ranks: Readonly<Record<EncodingName, string>> = { cl100k_base: cl100k, o200k_base: o200k, gpt2 };
export const encodingNames = Object.keys(ranks) as EncodingName[];

const loaded = new Map<EncodingName, Promise<Tokenizer>>();

/** A published encoding, made on the first call. */
export function encoding(name: EncodingName): Promise<Tokenizer> {
  let tokenizer = loaded.get(name);
  if (!tokenizer) {
    const base64 = ranks[name].slice(ranks[name].indexOf(",") + 1);
    tokenizer = encodingFromGzip(name, Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
    loaded.set(name, tokenizer);
  }
  return tokenizer;
}

/**
 * A tokeniser from a file of the user: `tokenizer.json` of Espalier or Hugging Face (byte-level BPE, or over characters behind
 * a normaliser as Llama's is), or `.tiktoken`, which then has the cl100k pattern.
 *
 * @throws {EspalierError} when it is none
 */
export async function tokenizerFromFile(file: File): Promise<Tokenizer | HuggingFaceTokenizer> {
  const text = await file.text();
  if (!text.trimStart().startsWith("{")) return createTokenizer({ name: file.name, ranks: readTiktoken(text, file.name), specialTokens: new Map() });
  if (/"format"\s*:\s*"espalier-tokenizer"/.test(text.slice(0, 200))) return readTokenizerJson(text, file.name);
  const tokenizer = readHuggingFaceTokenizer(text, file.name);
  return tokenizer.byteLevel ?? tokenizer;
}

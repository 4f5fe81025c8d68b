import { createTokenizer, type HuggingFaceTokenizer, readHuggingFaceTokenizer, readTiktoken, readTokenizerJson, type Tokenizer } from "@espalier/tokenizer";

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

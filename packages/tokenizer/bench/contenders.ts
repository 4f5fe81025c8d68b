import AiTokenizer from "ai-tokenizer";
import * as aiEncoding from "ai-tokenizer/encoding/cl100k_base";
import { clearMergeCache, encode as gptTokenizer } from "gpt-tokenizer/encoding/cl100k_base";
import { get_encoding } from "tiktoken";
import tiktokenNode from "tiktoken-node"; // CommonJS whose names Node does not see
import type { Tokenizer } from "../src/index.ts";
import { ours } from "./ours.ts";

type Encode = (text: string, bytes: Uint8Array) => ArrayLike<number>;

export interface Contender {
  name: string;
  ours: boolean;
  /** A fresh encoder, that is, one that remembers nothing. */
  fresh(): Encode;
}

export const tiktoken = get_encoding("cl100k_base");
const ofBytes = (tokenizer: Tokenizer): Encode => (_, bytes) => tokenizer.encode(bytes);
const ofText = (tokenizer: { encode(text: string): ArrayLike<number> }): Encode => (text) => tokenizer.encode(text);

export const contenders: readonly Contender[] = [
  { name: "native, bytes", ours: true, fresh: () => ofBytes(ours("auto")) },
  { name: "native, strings", ours: true, fresh: () => ofText(ours("auto")) },
  { name: "WebAssembly, bytes", ours: true, fresh: () => ofBytes(ours("wasm")) },
  { name: "WebAssembly, strings", ours: true, fresh: () => ofText(ours("wasm")) },
  { name: "TypeScript, bytes", ours: true, fresh: () => ofBytes(ours("typescript")) },
  { name: "tiktoken 1.0.22", ours: false, fresh: () => (text) => tiktoken.encode_ordinary(text) },
  { name: "tiktoken-node 0.0.7", ours: false, fresh: () => ofText(tiktokenNode.getEncoding("cl100k_base")) },
  { name: "gpt-tokenizer 4.0.0", ours: false, fresh: () => (clearMergeCache(), (text) => gptTokenizer(text)) },
  { name: "ai-tokenizer 1.0.6", ours: false, fresh: () => ofText(new AiTokenizer(aiEncoding)) },
];

// Words that are properties of every JavaScript object, a byte order mark, NEL: a rival that fails here is not correct.
const probes = ["hasOwnProperty constructor", "\ufeffimport x", "a\u0085b", "it'ſ 'LL"].map((text) => ({ text, bytes: new TextEncoder().encode(text) }));

/** True when the ids of the probes are tiktoken's. */
export function isCorrect({ fresh }: Contender): boolean {
  const encode = fresh();
  return probes.every(({ text, bytes }) => String(Array.from(encode(text, bytes))) === String([...tiktoken.encode_ordinary(text)]));
}

/** Number of documents whose ids are not tiktoken's. */
export function wrongDocuments({ fresh }: Contender, texts: readonly string[], documents: readonly Uint8Array[]): number {
  const encode = fresh();
  return texts.filter((text, i) => {
    const ids = encode(text, documents[i]!);
    const expected = tiktoken.encode_ordinary(text);
    return ids.length !== expected.length || expected.some((id, at) => id !== ids[at]);
  }).length;
}

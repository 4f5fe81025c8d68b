import { EspalierError } from "@espalier/core";
import { encodingFromGzip, type HuggingFaceTokenizer, type Tokenizer, tokenSpans } from "@espalier/tokenizer";
import type { Answer, Request, Source, Tokens } from "./messages.ts";
import { tokenizerFromFile } from "./tokenizerFromFile.ts";

/** More elements than this make a page slow; the counts are of all. */
const SHOWN = 5000;
const utf8 = new TextEncoder();

let tokenizer: Tokenizer | HuggingFaceTokenizer | undefined;

const load = (source: Source) => ("file" in source ? tokenizerFromFile(source.file) : encodingFromGzip(source.encoding, source.compressed));

function tokensOf(tokenizer: Tokenizer | HuggingFaceTokenizer, input: string, special: "text" | "recognize"): Tokens {
  const text = input.toWellFormed();
  const started = performance.now();
  tokenizer.encode(text, { special });
  const encodeMs = performance.now() - started;
  const spans = tokenSpans(tokenizer, text, special);
  const bytes = utf8.encode(text);
  let numCharacters = 0;
  for (let i = 0; i < bytes.length; i++) if ((bytes[i]! & 0xc0) !== 0x80) numCharacters++;
  const shown = spans.slice(0, SHOWN);
  return { kind: "tokens", numTokens: spans.length, numBytes: bytes.length, numCharacters, encodeMs, spans: shown, bytes: bytes.slice(0, shown.at(-1)?.end ?? 0) };
}

async function answerTo(request: Request): Promise<Answer | undefined> {
  try {
    if (request.kind === "tokenizer") {
      const { name, vocabSize, encoder } = (tokenizer = await load(request.source));
      return { kind: "ready", name, vocabSize, encoder };
    }
    return tokenizer && tokensOf(tokenizer, request.text, request.special);
  } catch (error) {
    return { kind: "problem", of: request.kind, message: error instanceof EspalierError ? error.message : String(error) };
  }
}

let last = Promise.resolve();
self.onmessage = ({ data }: MessageEvent<Request>) => {
  last = last.then(async () => {
    const answer = await answerTo(data);
    if (answer) self.postMessage(answer);
  });
};

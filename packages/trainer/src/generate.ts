import { random } from "@espalier/core";
import type { GenerateRequest, Generation } from "@espalier/spec/languageModel";
import { decode } from "./decode.ts";
import type { RowEngine } from "./inference/rowEngine.ts";
import type { TextCodec } from "./textCodec.ts";

/** A prompt in tokens, and what to do with each token of its answer. */
export interface Continuation extends Omit<GenerateRequest, "prompt"> {
  /** At least one. */
  prompt: readonly number[];
  /** Called with every further piece of the text as soon as it is certain. */
  onText?: (text: string) => void;
  /** Called with each token of the text and the logits that it was chosen from (a view for the moment). */
  onToken?: (id: number, logits: Float32Array) => void;
}

/** Greedy or sampled answers; a prompt keeps as much of its end as leaves room for the answer. */
export async function generate(engine: RowEngine, codec: TextCodec, requests: readonly GenerateRequest[]): Promise<Generation[]> {
  const { seqLen } = engine.model.config;
  const prompts = requests.map(({ prompt }) => Array.from(codec.encodeStart(prompt)));
  const kept = requests.map(({ maxTokens }, i) => (prompts[i]!.length > 0 ? prompts[i]!.slice(-Math.max(1, seqLen - maxTokens)) : [codec.startId]));
  const answers = await continueTexts(engine, codec, requests.map((request, i) => ({ ...request, prompt: kept[i]! })));
  return answers.map((answer, i) => {
    const numTruncated = prompts[i]!.length - kept[i]!.length;
    return numTruncated > 0 ? { ...answer, numTruncated } : answer;
  });
}

/** Continues prompts until an end token, a stop text, the most tokens that were asked for, or the model's length. */
export async function continueTexts(engine: RowEngine, codec: TextCodec, requests: readonly Continuation[]): Promise<Generation[]> {
  const { vocabSize, seqLen } = engine.model.config;
  const isToken = Uint8Array.from({ length: vocabSize }, (_, id) => +codec.isToken(id));
  const answers = requests.map((): Generation => ({ text: "", numTokens: 0, finish: "length" }));
  const decodings = requests.map(({ prompt, until, maxTokens, temperature = 0, seed = 0, onText, onToken }, i) => {
    const draw = random(seed, "generate");
    const marks = until.filter((mark) => mark !== "");
    const written: number[] = [];
    let certain = 0;
    const show = (text: string, end: number) => {
      if (end > certain) onText?.(text.slice(certain, end));
      certain = Math.max(certain, end);
    };
    const most = Math.min(maxTokens, seqLen - prompt.length);
    return {
      prompt,
      maxTokens: most,
      temperature,
      uniform: (position: number) => draw.uniform(position),
      onToken(id: number, logits: Float32Array): boolean {
        const ended = codec.endIds.has(id);
        if (!ended) {
          written.push(id);
          onToken?.(id, logits);
        }
        const text = codec.decodeText(written);
        const stop = Math.min(...marks.map((mark) => text.indexOf(mark)).filter((at) => at >= 0));
        const kept = Number.isFinite(stop) ? text.slice(0, stop) : text;
        const stopped = ended || Number.isFinite(stop);
        answers[i] = { text: kept, numTokens: written.length, finish: stopped ? "stop" : "length" };
        const atEnd = stopped || written.length >= most;
        show(kept, atEnd ? kept.length : certainLength(kept, marks));
        return stopped;
      },
    };
  });
  await decode(engine, decodings, isToken);
  return answers;
}

/** How much of a text further tokens cannot take back: not the start of a stop text, not half a character. */
function certainLength(text: string, marks: readonly string[]): number {
  let end = text.length;
  while (end > 0 && text[end - 1] === "\uFFFD") end--;
  for (const mark of marks) {
    for (let length = Math.min(mark.length - 1, text.length); length > 0; length--) {
      if (text.endsWith(mark.slice(0, length))) {
        end = Math.min(end, text.length - length);
        break;
      }
    }
  }
  return end;
}

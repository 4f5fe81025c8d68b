import { text as textOf } from "node:stream/consumers";
import { ConfigError } from "@espalier/core";
import type { Completion } from "@espalier/spec/languageModel";
import { type Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { action, type Context } from "../command.ts";
import { openModel } from "../model.ts";
import { deviceOption, integer, positiveInteger, type WithDevice } from "../options.ts";

interface GenerateOptions extends WithDevice {
  maxTokens?: number;
  temperature: number;
  seed: number;
  stop: string[];
  count: number;
  data?: string;
  json?: boolean;
}

export function addGenerate(program: Command): void {
  program
    .command("generate")
    .description("how a model continues a text")
    .argument("<model>", "run (its newest checkpoint), one of its checkpoints, or Hugging Face directory")
    .argument("[prompt]", "text to continue; - for standard input (default: the beginning of a document)")
    .option("--max-tokens <n>", "tokens at most (default: 128, or half of what the model holds)", positiveInteger)
    .option("--temperature <t>", "0: always the likeliest token; 1: as the model says", temperature, 0.8)
    .option("--seed <n>", "of the draws: the same seed gives the same text; a further answer adds 1", integer, 0)
    .option("--stop <texts...>", "end before the first of these", [])
    .option("--count <n>", "answers", positiveInteger, 1)
    .option("--data <dir>", "directory written by `espalier tokenize`, for the tokeniser of a checkpoint (default: its run's own)")
    .addOption(deviceOption())
    .action(action<GenerateOptions>(generate));
}

async function generate(options: GenerateOptions, { output, path, signal }: Context, [place, given = ""]: string[]): Promise<void> {
  const { temperature, seed, stop, count, data, device } = options;
  const prompt = given === "-" ? await textOf(process.stdin) : given;
  const model = await openModel(path(place!), data && path(data), device);
  try {
    const { maxTokens = Math.min(128, model.maxLen >> 1) } = options;
    if (maxTokens >= model.maxLen) throw new ConfigError(`--max-tokens: is ${maxTokens}, expected at most ${model.maxLen - 1}: ${model.name} holds ${model.maxLen} tokens. Ask for fewer.`);
    const request = { prompt, until: stop, maxTokens, temperature };
    const begin = (i: number) => output.piece(`${count > 1 ? `${i > 0 ? "\n" : ""}${pc.bold(`${i + 1}`)}\n` : ""}${pc.dim(prompt)}`);
    const started = performance.now();
    let answers: Completion[];
    if (count === 1) {
      begin(0);
      const onText = (text: string) => {
        signal.throwIfAborted();
        output.piece(text);
      };
      answers = await model.complete([{ ...request, seed, onText }]);
      output.piece("\n");
    } else {
      answers = await model.complete(Array.from({ length: count }, (_, i) => ({ ...request, seed: seed + i, onText: () => signal.throwIfAborted() })));
      answers.forEach(({ text }, i) => {
        begin(i);
        output.piece(`${text}\n`);
      });
    }
    const seconds = (performance.now() - started) / 1000;
    const numTokens = answers.reduce((sum, answer) => sum + answer.numTokens, 0);
    const lost = answers[0]!.numTruncated ?? 0;
    if (lost > 0) output.line(`The prompt lost its first ${lost} tokens: ${model.maxLen} hold it and the answer.`);
    output.line(pc.dim(`${numTokens} tokens, ${(numTokens / seconds).toFixed(0)} tokens/s; ended by ${[...new Set(answers.map(({ finish }) => (finish === "stop" ? "its end" : "--max-tokens")))].join(" and ")}`));
    for (const { text, numTokens: tokens, finish, numTruncated = 0 } of answers) output.result("answer", { prompt, text, numTokens: tokens, finish, numTruncated });
  } finally {
    model.free();
  }
}

function temperature(value: string): number {
  const number = Number(value);
  if (!(number >= 0) || !Number.isFinite(number) || value.trim() === "") throw new InvalidArgumentError("expected a number of at least 0.");
  return number;
}

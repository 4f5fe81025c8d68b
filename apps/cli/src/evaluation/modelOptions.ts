import type { Command } from "commander";
import { deviceOption, positive, positiveInteger, type WithDevice } from "../options.ts";

/** How a model is opened; all commands of `espalier eval` that ask one have these options. */
export interface ModelOptions extends WithDevice {
  data?: string;
  /** Name that the server knows. */
  model?: string;
  tokenizer?: string;
  chat?: boolean;
  generationOnly?: boolean;
  maxLen?: number;
  concurrency?: number;
  /** Seconds. */
  timeout?: number;
  attempts?: number;
  apiKeyEnv: string;
  /** File of answers of earlier evaluations. */
  cache?: string;
}

/** After Ctrl-C: the same command goes on where answers are kept. */
export const resumeWith = ({ cache }: ModelOptions): string =>
  `espalier ${process.argv.slice(2).join(" ")}${cache === undefined ? "\nIt starts anew: only --cache keeps answers." : ""}`;

/** Adds the options of `ModelOptions` to a command. */
export function withModelOptions(command: Command): Command {
  return command
    .option("--data <dir>", "directory written by `espalier tokenize`, for the tokeniser of a checkpoint (default: the one of its run)")
    .addOption(deviceOption())
    .option("--model <name>", "of an endpoint")
    .option("--tokenizer <dir>", "of an endpoint: Hugging Face directory, or one written by `espalier tokenize`; prompts are sent as token ids")
    .option("--chat", "the endpoint is a chat: generation only")
    .option("--generation-only", "score what is generated, and no likelihoods: for endpoints that do not echo log-probabilities")
    .option("--max-len <tokens>", "context of an endpoint (default: with --tokenizer what its list of models states, else 2048)", positiveInteger)
    .option("--concurrency <n>", "requests in flight to an endpoint", positiveInteger)
    .option("--timeout <seconds>", "of one request to an endpoint (default: 120)", positive)
    .option("--attempts <n>", "tries of a request to an endpoint, ever further apart (default: 8)", positiveInteger)
    .option("--api-key-env <name>", "environment variable with an endpoint's key", "OPENAI_API_KEY")
    .option("--cache <file>", "answers of earlier evaluations; no request is put to the same model twice");
}

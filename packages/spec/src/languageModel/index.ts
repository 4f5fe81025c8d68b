/** A continuation to be scored after a context. Text, so that any tokenizer may stand behind the model. */
export interface LoglikelihoodRequest {
  context: string;
  continuation: string;
}

export interface Loglikelihood {
  /** Sum over the continuation's tokens, in nats. */
  logprob: number;
  /** Tokens of the continuation. */
  numTokens: number;
  /** Each token of the continuation is the model's first choice. */
  isGreedy: boolean;
  /** Tokens that the context lost at its beginning because it was longer than the model's; 0 when left out. */
  numTruncated?: number;
}

export interface GenerateRequest {
  prompt: string;
  /** Output ends before the first of these. */
  until: readonly string[];
  maxTokens: number;
  /** 0: greedy. */
  temperature?: number;
  seed?: number;
}

export interface Generation {
  text: string;
  numTokens: number;
  finish: "stop" | "length";
  /** Tokens that the prompt lost at its beginning; 0 when left out. */
  numTruncated?: number;
}

/**
 * What evaluation needs of a model, and all that it may ask. The trainer's engine and HTTP adapters implement it.
 * Answers come in the order of the requests and do not depend on how requests are batched.
 */
export interface LanguageModel {
  readonly name: string;
  /** Longest context plus continuation, in tokens. Longer contexts lose their beginning. */
  readonly maxLen: number;
  loglikelihood(requests: readonly LoglikelihoodRequest[]): Promise<Loglikelihood[]>;
  /** Log-likelihood of whole texts, window by window, each token predicted once. */
  rollingLoglikelihood(texts: readonly string[]): Promise<Loglikelihood[]>;
  generate(requests: readonly GenerateRequest[]): Promise<Generation[]>;
}

/** A prompt to be continued, as an OpenAI-style endpoint is asked. */
export interface CompletionRequest extends Omit<GenerateRequest, "prompt"> {
  /** Text, or token ids that are taken as they are. */
  prompt: string | readonly number[];
  /** The prompt stands before the answer, in the text and among the tokens. */
  echo?: boolean;
  /** Log-probabilities of every token, and this many of the likeliest at each place. Absent: none. */
  numLogprobs?: number;
  /** Called with every further piece of the answer as soon as it is certain. */
  onText?: (text: string) => void;
}

export interface TokenLogprob {
  /** Bytes that are not whole characters show as U+FFFD. */
  text: string;
  /** Code points of the text before the first character that ends in this token. */
  textOffset: number;
  /** Nats; null for the first token, which nothing predicts. */
  logprob: number | null;
  /** The likeliest tokens at this place, most likely first. */
  top: readonly { text: string; logprob: number }[];
}

export interface Completion extends Generation {
  /** Empty unless log-probabilities were asked for. */
  tokens: readonly TokenLogprob[];
  numPromptTokens: number;
}

/** A model that also answers token by token: what `espalier serve` puts behind `/v1/completions`. */
export interface CompletionModel extends LanguageModel {
  /**
   * @throws {DataError} when a prompt is empty where its log-probabilities are wanted, too long, or not of the vocabulary
   */
  complete(requests: readonly CompletionRequest[]): Promise<Completion[]>;
}

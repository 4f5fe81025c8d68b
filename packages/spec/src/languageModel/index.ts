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

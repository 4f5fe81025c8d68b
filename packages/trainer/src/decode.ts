import { ConfigError } from "@espalier/core";
import { commonPrefix, sortedByTokens } from "./inference/prefixTree.ts";
import type { RowEngine } from "./inference/rowEngine.ts";

/** A sequence to be continued. */
export interface Decoding {
  /** At least one; with `maxTokens` more at most the model's length and one. */
  prompt: ArrayLike<number>;
  maxTokens: number;
  /** 0: greedy. */
  temperature: number;
  /** Uniform in [0, 1) by position in the sequence: sampling does not depend on what else is decoded. */
  uniform: (position: number) => number;
  /** Takes each token, with the logits that it was chosen from (a view for the moment); true: the sequence has ended. */
  onToken: (id: number, logits: Float32Array) => boolean;
}

/** Sequences that are decoded together. */
const MAX_ACTIVE = 64;

interface Active {
  decoding: Decoding;
  tokens: number[];
  /** Pool rows of the tokens so far, by position. */
  path: Int32Array;
  /** Tokens whose keys and values are in the pool. */
  numComputed: number;
  numWritten: number;
}

/**
 * Continues sequences, many at a time: one that ends makes room for the next. Prompts are taken in the order of their
 * tokens, and each shares the keys and values of its beginning with the one before it.
 *
 * @param isToken `[V]`, 0 for ids that no token has: an embedding may have more rows than the vocabulary
 */
export async function decode(engine: RowEngine, decodings: readonly Decoding[], isToken: Uint8Array): Promise<void> {
  const waiting = sortedByTokens(decodings.map(({ prompt }) => prompt)).map((i) => decodings[i]!).filter(({ maxTokens }) => maxTokens > 0);
  const active: Active[] = [];
  let newest: Pick<Active, "path" | "tokens"> = { path: new Int32Array(), tokens: [] };
  /** Keeps the rows of the newest prompt for the next one, whether or not its sequence has ended. */
  const replaceNewest = (next: typeof newest) => {
    engine.share(next.path, next.tokens.length);
    engine.release(newest.path, 0, newest.tokens.length);
    newest = next;
  };
  const admit = () => {
    while (waiting.length > 0 && active.length < MAX_ACTIVE) {
      const decoding = waiting[0]!;
      const { prompt, maxTokens } = decoding;
      // The last token of a prompt runs in any case: its hidden state is needed.
      const shared = Math.min(commonPrefix(newest.tokens, prompt), prompt.length - 1);
      const promised = active.reduce((sum, { tokens, path }) => sum + path.length - tokens.length, 0);
      if (engine.numUnused - promised < prompt.length - shared + maxTokens - 1) return;
      waiting.shift();
      const tokens = Array.from(prompt);
      const path = new Int32Array(prompt.length + maxTokens - 1);
      path.set(newest.path.subarray(0, shared));
      engine.share(path, shared);
      for (let n = shared; n < tokens.length; n++) path[n] = engine.take()!;
      active.push({ decoding, tokens, path, numComputed: shared, numWritten: 0 });
      replaceNewest({ path: path.slice(0, tokens.length), tokens: tokens.slice() });
    }
  };
  try {
    for (;;) {
      admit();
      if (active.length === 0) {
        if (waiting.length === 0) return;
        replaceNewest({ path: new Int32Array(), tokens: [] });
        engine.discard();
        admit();
        if (active.length === 0) {
          const { prompt, maxTokens } = waiting[0]!;
          throw new ConfigError(
            `decode: ${prompt.length} tokens and ${maxTokens} more, expected at most ${engine.cache.poolRows}, the rows of the cache. Raise cacheBytes.`,
          );
        }
      }
      await feed(engine, active);
      const ended = new Set<Active>();
      await engine.logits(active.map((_, i) => i), (i, logits) => {
        const sequence = active[i]!;
        const { temperature, uniform, onToken, maxTokens } = sequence.decoding;
        const id = choose(logits, isToken, temperature, () => uniform(sequence.tokens.length));
        sequence.numWritten++;
        if (onToken(id, logits) || sequence.numWritten >= maxTokens) return void ended.add(sequence);
        sequence.path[sequence.tokens.length] = engine.take()!;
        sequence.tokens.push(id);
      });
      for (const { path, tokens } of ended) engine.release(path, 0, tokens.length);
      engine.discard();
      active.splice(0, active.length, ...active.filter((sequence) => !ended.has(sequence)));
    }
  } finally {
    for (const { path, tokens } of active) engine.release(path, 0, tokens.length);
    engine.release(newest.path, 0, newest.tokens.length);
    engine.discard();
  }
}

/** Runs every token that has not run; the hidden state of the last of sequence i is kept at i. */
async function feed(engine: RowEngine, active: readonly Active[]): Promise<void> {
  for (const [i, sequence] of active.entries()) {
    const { tokens, path } = sequence;
    while (sequence.numComputed < tokens.length) {
      const from = sequence.numComputed;
      const count = Math.min(tokens.length - from, engine.room(from));
      if (count <= 0) {
        await engine.flush();
        continue;
      }
      engine.add(tokens, path, from, count, (position) => (position === tokens.length - 1 ? i : -1));
      sequence.numComputed += count;
    }
  }
  await engine.flush();
}

/** A token: the first largest logit at temperature 0, else a draw from `softmax(logits / temperature)` in fp64. */
function choose(logits: Float32Array, isToken: Uint8Array, temperature: number, uniform: () => number): number {
  let best = -1;
  for (let id = 0; id < logits.length; id++) if (isToken[id] && (best < 0 || logits[id]! > logits[best]!)) best = id;
  if (temperature === 0) return best;
  const largest = logits[best]!;
  const weight = (id: number) => (isToken[id] ? Math.exp((logits[id]! - largest) / temperature) : 0);
  let total = 0;
  for (let id = 0; id < logits.length; id++) total += weight(id);
  let left = uniform() * total;
  for (let id = 0; id < logits.length; id++) {
    left -= weight(id);
    if (left < 0) return id;
  }
  return best;
}

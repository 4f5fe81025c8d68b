import {
  cachedAttention,
  embedding,
  fuse,
  Graph,
  linearCrossEntropy,
  matmul,
  plan,
  type Program,
  rotaryAngles,
  rotaryAt,
  type Tensor,
  writeRows,
} from "@espalier/graph";
import type { Gate } from "@espalier/growth";
import type { ModelConfig } from "@espalier/spec/model";
import { parameterShapes, rotaryOptions, transformer } from "../transformer.ts";

/** Sizes of the buffers that all inference programs of a model share. */
export interface CacheShape {
  /** P: rows of the pool of keys and values, one a token. */
  poolRows: number;
  /** Rows of hidden states that wait for the output head. */
  hiddenRows: number;
}

/** Names of the owned tensors that inference adds to a model. */
export const cached = {
  key: (layer: number) => `cache.key:${layer}`,
  value: (layer: number) => `cache.value:${layer}`,
  hidden: "cache.hidden",
} as const;

/**
 * The transformer over R rows: single tokens of any sequences, each at its own position. Their keys and values go into
 * the pool, then every layer attends through lists of pool rows. Prefill and decoding differ only in how many rows of a
 * sequence come together.
 *
 * Runtime, all i32: tokens `[1, R]`; rowPositions `[R]`, below 0 for padding; starts `[R]` and keyRows `[M]`, the lists;
 * places `[R]`, the pool row of each row's key and value; hiddenPlaces `[R]`, where its hidden state is kept, below 0:
 * nowhere. Gates and frequencies as in `transformer`.
 *
 * With `numWanted` (K) hidden states come out of K rows alone, and the last layer has queries and an MLP for no others:
 * wanted `[K]`, the rows; wantedPositions and wantedStarts `[K]`, theirs; hiddenPlaces is `[K]`.
 *
 * @param numListed  M
 */
export function rowsProgram(config: ModelConfig, numRows: number, numListed: number, cache: CacheShape, gates: readonly Gate[] = [], numWanted?: number): Program {
  const graph = new Graph();
  const { numKvHeads, headDim, multipliers } = config;
  const ints = (name: string, length: number) => graph.runtime(name, [length], "i32");
  const [positions, places] = [ints("rowPositions", numRows), ints("places", numRows)];
  const keyRows = ints("keyRows", numListed);
  const rotation = rotaryOptions(graph, config);
  const angles = (side: "query" | "key", of = positions) => rotation && rotaryAngles(of, headDim, { ...rotation, side });
  const asking = { positions, starts: ints("starts", numRows), angles: angles("query") };
  const keyAngles = rotation?.kind === "xpos" ? angles("key") : asking.angles;
  const wanted = numWanted === undefined ? undefined : ints("wanted", numWanted);
  const last = numWanted === undefined ? asking : wantedRows(numWanted);
  function wantedRows(count: number) {
    const of = ints("wantedPositions", count);
    return { positions: of, starts: ints("wantedStarts", count), angles: angles("query", of) };
  }
  const turned = (x: Tensor, by: Tensor | undefined) => (by ? rotaryAt(x, by) : x);

  const { hidden } = transformer(graph, config, {
    tokens: graph.runtime("tokens", [1, numRows], "i32"),
    gates,
    ...(wanted && { wanted }),
    attend: (layer, q, k, v) => {
      const { positions, starts, angles } = layer === config.numLayers - 1 ? last : asking;
      const pool = [cache.poolRows, numKvHeads, headDim];
      const [keys, values] = [graph.owned(cached.key(layer), pool), graph.owned(cached.value(layer), pool)];
      writeRows(keys, turned(k, keyAngles), places);
      writeRows(values, v, places);
      return cachedAttention({ q: turned(q, angles), k: keys, v: values, positions, starts, keyRows }, { scale: multipliers.attention });
    },
  });
  writeRows(graph.owned(cached.hidden, [cache.hiddenRows, config.residualDim]), hidden, ints("hiddenPlaces", numWanted ?? numRows));
  return plan(fuse(graph));
}

/** Kept hidden states `[K, C]` by their places `[K]`, and the output head. */
function keptRows(graph: Graph, config: ModelConfig, numRows: number, cache: CacheShape) {
  const name = config.tiedHead ? "embedding.weight" : "head.weight";
  const hidden = graph.owned(cached.hidden, [cache.hiddenRows, config.residualDim]);
  return {
    // Looking up rows of a table is what an embedding does.
    rows: embedding(graph.runtime("rows", [numRows], "i32"), hidden),
    head: graph.owned(name, new Map(parameterShapes(config)).get(name)!),
    factor: config.multipliers.logits,
  };
}

/**
 * How likely given next tokens are after kept hidden states. Only rows that are scored pay for the vocabulary.
 *
 * Runtime: rows i32 `[K]`, targets i32 `[K]` (below 0: not scored).
 * Output: tokenLoss `[K]` in nats, greedy `[K]`, lse `[K]`.
 */
export function scoringProgram(config: ModelConfig, numRows: number, cache: CacheShape): Program {
  const graph = new Graph();
  const { rows, head, factor } = keptRows(graph, config, numRows, cache);
  const [targets, weights] = [graph.runtime("targets", [numRows], "i32"), graph.runtime("weights", [numRows])];
  const { tokenLoss, greedy, lse } = linearCrossEntropy(rows, head, targets, weights, { factor });
  graph.output("tokenLoss", tokenLoss);
  graph.output("greedy", greedy);
  graph.output("lse", lse);
  return plan(fuse(graph));
}

/** Logits after kept hidden states. Runtime: rows i32 `[K]`. Output: logits `[K, V]`. */
export function nextLogitsProgram(config: ModelConfig, numRows: number, cache: CacheShape): Program {
  const graph = new Graph();
  const { rows, head, factor } = keptRows(graph, config, numRows, cache);
  graph.output("logits", matmul(rows, head, { transB: true, alpha: factor }));
  return plan(fuse(graph));
}

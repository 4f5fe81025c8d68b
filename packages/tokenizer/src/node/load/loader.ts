import { once } from "node:events";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { ConfigError, DataError, FileError } from "@espalier/core";
import { cumulativeShares, windowOrder } from "../../data/windowOrder.ts";
import type { ShardOrigin } from "../shard.ts";
import { openDocumentEnds } from "./documentEnds.ts";
import { type LoadedBatch, Ring, type RingLayout } from "./ring.ts";
import { openTokenFile } from "./tokenFile.ts";

/** One shard to load from. */
export interface LoaderSource {
  /** Keys the order of this source's windows. */
  name: string;
  path: string;
  /** Share of the windows that come from here, relative to the other sources; above 0. */
  weight: number;
  /** What the shard must have been made with: another tokeniser's is refused by its digest. */
  expected?: Partial<ShardOrigin>;
}

/** All that a loader needs to go on where another one stopped. */
export interface LoaderState {
  seed: number;
  /** Targets of the batches given so far. */
  tokenOffset: number;
}

export interface LoaderOptions {
  sources: readonly LoaderSource[];
  /** Where to begin. */
  state: LoaderState;
  /** B */
  batchSize: number;
  /** T */
  seqLen: number;
  /** Id of the token behind each document: batches say which document each token is of, for attention within documents. */
  separator?: number;
  /**
   * Rows are whole documents, packed by best fit (`packedBatches`), with targets of -1 where nothing is to be predicted;
   * needs the separator. Default: documents laid end to end and cut every T tokens.
   */
  packing?: "bestFit";
  /** Batches read ahead, rounded up to a power of two. Default 4. */
  prefetch?: number;
  /** Whether shards' sha256 are checked before the first batch. Default true. */
  digest?: boolean;
}

/** What the reading thread is told. */
export interface LoadRequest {
  sources: { name: string; path: string; weight: number; numTokens: number }[];
  state: LoaderState;
  batchSize: number;
  seqLen: number;
  separator?: number;
  packing?: "bestFit";
  layout: RingLayout;
  memory: SharedArrayBuffer;
}

/** No disk keeps a batch waiting for this long; a thread that died might. */
const PATIENCE_MS = 60_000;

/** Batches read ahead by a thread of their own. */
export interface Loader {
  /** Seed and the offset behind the last batch given: a loader opened with it goes on with the next one. */
  readonly state: LoaderState;
  /**
   * The next batch, the same as `batchAt` (or `packedBatches`) gives at its offset. Its arrays are the loader's: they are overwritten after the
   * next call.
   *
   * @throws {FileError} when a shard cannot be read any more
   */
  next(): LoadedBatch;
  /** Ends the thread. Closing again does nothing. */
  close(): Promise<void>;
}

/**
 * Opens shards for training: their windows in the order of `windowOrder`, batch by batch, read ahead by a thread, so that
 * memory holds a few batches (with `packing`, and one window of documents) whatever the size of the corpus, and reading costs the training thread nothing. Any batch is a
 * pure function of the sources, the seed and the offset; nothing but those two numbers is to be kept for going on.
 *
 * @throws {ConfigError} when the offset is not a multiple of T, or a number is out of range
 * @throws {DataError} when a shard was made with another tokeniser or is shorter than a window
 * @throws {FileError} when a shard is missing, truncated or damaged
 */
export async function openLoader(options: LoaderOptions): Promise<Loader> {
  const { sources, state, batchSize: B, seqLen: T, separator, packing, prefetch = 4, digest = true } = options;
  for (const [name, value, least] of [["batchSize", B, 1], ["seqLen", T, 1], ["prefetch", prefetch, 1], ["tokenOffset", state.tokenOffset, 0]] as const) {
    if (!Number.isSafeInteger(value) || value < least) throw new ConfigError(`loader: ${name} is ${value}, expected a whole number from ${least} on. Correct it.`);
  }
  if (state.tokenOffset % T !== 0) throw new ConfigError(`loader: tokenOffset is ${state.tokenOffset}, expected a multiple of seqLen ${T}. End each stage on a whole window.`);
  if (packing !== undefined && (packing as string) !== "bestFit") throw new ConfigError(`loader: packing is ${String(packing)}, expected "bestFit" or none. Correct it.`);
  if (packing && separator === undefined) throw new ConfigError("loader: packing without a separator, expected the id of the token behind each document. Give it.");
  const found: LoadRequest["sources"] = [];
  for (const { name, path, weight, expected = {} } of sources) {
    const file = await openTokenFile(path, { expected, digest });
    file.close(); // the reading thread opens it
    if (packing) (await openDocumentEnds(path, { digest })).close();
    found.push({ name, path, weight, numTokens: file.length });
  }
  if (!packing) windowOrder(found, state.seed, T, "loader"); // refuses what the thread could not go through
  else {
    cumulativeShares(found, "loader"); // the same
    for (const { name, numTokens } of found) if (numTokens === 0) throw new DataError(`loader: source ${name} has no tokens, expected at least one document. Give more text.`);
  }
  const layout: RingLayout = { slots: 2 ** Math.ceil(Math.log2(prefetch)), size: B * T, withDocuments: separator !== undefined };
  const ring = new Ring(layout);
  const workerData: LoadRequest = { sources: found, state, batchSize: B, seqLen: T, ...(separator !== undefined && { separator }), ...(packing && { packing }), layout, memory: ring.memory };
  const worker = new Worker(pathToFileURL(createRequire(import.meta.url).resolve("#load-worker")), { workerData });
  await Promise.race([once(worker, "message"), once(worker, "exit").then(() => Promise.reject(new FileError("loader: the reading thread ended before it began, expected it to read. Open the loader again.")))]); // rejects with the thread's error
  worker.unref();
  return new OpenLoader(state, layout.size, ring, worker);
}

class OpenLoader implements Loader {
  readonly #seed: number;
  readonly #batchTokens: number;
  readonly #ring: Ring;
  readonly #worker: Worker;
  #tokenOffset: number;
  #isTaken = false;

  constructor({ seed, tokenOffset }: LoaderState, batchTokens: number, ring: Ring, worker: Worker) {
    this.#seed = seed;
    this.#tokenOffset = tokenOffset;
    this.#batchTokens = batchTokens;
    this.#ring = ring;
    this.#worker = worker;
  }

  get state(): LoaderState {
    return { seed: this.#seed, tokenOffset: this.#tokenOffset };
  }

  next(): LoadedBatch {
    if (this.#isTaken) this.#ring.release();
    this.#isTaken = false;
    let batch: LoadedBatch | undefined;
    try {
      batch = this.#ring.take(PATIENCE_MS);
    } catch (error) {
      throw new FileError((error as Error).message);
    }
    if (!batch) throw new FileError(`loader: no batch in ${PATIENCE_MS / 1000} s, expected one. Look whether the disk of the shards answers.`);
    this.#isTaken = true;
    this.#tokenOffset += this.#batchTokens;
    return batch;
  }

  async close(): Promise<void> {
    this.#ring.stop();
    await this.#worker.terminate();
  }
}

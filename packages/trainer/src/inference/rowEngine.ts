import type { ModelConfig } from "@espalier/spec/model";
import type { DeviceModel, Ready } from "../deviceModel.ts";
import { POSITIONS } from "../transformer.ts";
import { type CacheShape, nextLogitsProgram, rowsProgram, scoringProgram } from "./programs.ts";

/** Rows of the largest program; more would not make the kernels faster. */
const MAX_ROWS = 256;
/** Kept hidden states; runs of the output head take up to MAX_ROWS of them. */
const HIDDEN_ROWS = 512;
/** Most entries of the lists of one run: 256 KB that are copied for it. */
const LISTED = 65_536;
/** Most logits that are copied to the host in one run. */
const MAX_LOGITS = 2 ** 22;

export interface RowEngineOptions {
  /** Bytes of keys and values; at least one sequence of full length always fits. Default 256 MiB. */
  cacheBytes?: number;
}

/**
 * Rows of the program that a number of rows runs in: a power of two up to 32, then a multiple of 32. Padded rows cost
 * what others do, and each size is a program of its own.
 */
export function programRows(count: number): number {
  return count <= 32 ? 2 ** Math.ceil(Math.log2(Math.max(1, count))) : 32 * Math.ceil(count / 32);
}

/**
 * Rows of a run's last layer, of which `count` are wanted; undefined where all are to run. A few sizes only, because each is a
 * program of its own, and none for small runs, whose time is that of reading the weights.
 */
export function wantedRows(numRows: number, count: number): number | undefined {
  return numRows < 128 ? undefined : [32, 64, 128].find((size) => count <= size && size <= numRows / 2);
}

/** Rows of the pool of a configuration that a number of bytes holds, in [one full sequence, 64 of them]. */
export function poolRowsOf(config: ModelConfig, cacheBytes: number): number {
  const { numLayers, numKvHeads, headDim, seqLen } = config;
  const rowBytes = 2 * 4 * numLayers * numKvHeads * headDim;
  const least = seqLen + MAX_ROWS;
  return Math.max(least, Math.min(64 * seqLen + MAX_ROWS, Math.floor(cacheBytes / rowBytes)));
}

/**
 * Inference on one model, a run of rows at a time: a batch is collected with `add`, sent with `flush`; `score` and
 * `logits` read kept hidden states. The engine owns the pool: which rows are taken, and how often each is in use.
 *
 * Runs execute in the order in which they were sent, so a pool row may be given back as soon as the last run that reads
 * it has been sent. Programs are compiled for a few numbers of rows (`programRows`) when first needed.
 */
export class RowEngine {
  readonly model: DeviceModel;
  readonly cache: CacheShape;
  readonly #uses: Int32Array;
  readonly #unused: number[];
  /** Given back by the batch that is being collected, which may still read them. */
  #released: number[] = [];
  #numRows = 0;
  #numListed = 0;
  readonly #batch = {
    tokens: new Int32Array(MAX_ROWS),
    positions: new Int32Array(MAX_ROWS),
    starts: new Int32Array(MAX_ROWS),
    places: new Int32Array(MAX_ROWS),
    hiddenPlaces: new Int32Array(MAX_ROWS),
    keyRows: new Int32Array(LISTED),
  };
  /** Runs under way that read host buffers, by program and buffer. */
  readonly #running = new Map<Ready, [Promise<void>?, Promise<void>?]>();
  readonly #turn = new Map<Ready, number>();
  readonly #maxListed: number;
  /** Of a run whose end nobody awaited; the next answer that would follow from it throws it. */
  #failure: unknown;

  constructor(model: DeviceModel, { cacheBytes = 2 ** 28 }: RowEngineOptions = {}) {
    this.model = model;
    this.cache = { poolRows: poolRowsOf(model.config, cacheBytes), hiddenRows: HIDDEN_ROWS };
    this.#uses = new Int32Array(this.cache.poolRows);
    this.#unused = Array.from({ length: this.cache.poolRows }, (_, row) => this.cache.poolRows - 1 - row);
    this.#maxListed = Math.max(LISTED, model.config.seqLen);
    if (this.#maxListed > LISTED) this.#batch.keyRows = new Int32Array(this.#maxListed);
  }

  /** Pool rows that can be taken now. */
  get numUnused(): number {
    return this.#unused.length;
  }

  /** Takes a row of the pool; undefined when all are in use, until a `flush`. */
  take(): number | undefined {
    const row = this.#unused.pop();
    if (row !== undefined) this.#uses[row] = 1;
    return row;
  }

  /** One more user of rows. */
  share(rows: ArrayLike<number>, length: number): void {
    for (let n = 0; n < length; n++) this.#uses[rows[n]!]!++;
  }

  /** One user less; rows without users can be taken again after the batch that is being collected. */
  release(rows: ArrayLike<number>, from: number, to: number): void {
    for (let n = from; n < to; n++) if (--this.#uses[rows[n]!]! === 0) this.#released.push(rows[n]!);
  }

  /** How many more rows at positions from `position` on, of one sequence, this batch can take. */
  room(position: number): number {
    return Math.min(MAX_ROWS - this.#numRows, this.#maxListed - this.#numListed - position);
  }

  /**
   * Adds `count` neighbouring tokens of a sequence to the batch.
   *
   * @param path    pool rows of the whole sequence up to and including these tokens, by position
   * @param hidden  where the hidden state at a position is to be kept; below 0: nowhere
   */
  add(tokens: ArrayLike<number>, path: Int32Array, position: number, count: number, hidden: (position: number) => number): void {
    const batch = this.#batch;
    batch.keyRows.set(path.subarray(0, position + count), this.#numListed);
    for (let n = position; n < position + count; n++) {
      const row = this.#numRows++;
      batch.tokens[row] = tokens[n]!;
      batch.positions[row] = n;
      batch.starts[row] = this.#numListed;
      batch.places[row] = path[n]!;
      batch.hiddenPlaces[row] = hidden(n);
    }
    this.#numListed += position + count;
  }

  /** Sends the batch, if there is one. It need not have ended when this resolves. */
  async flush(): Promise<void> {
    const numRows = this.#numRows;
    if (numRows > 0) {
      const R = programRows(numRows);
      const M = Math.min(R * this.model.config.seqLen, this.#maxListed);
      const batch = this.#batch;
      const wanted = Array.from(batch.hiddenPlaces.subarray(0, numRows).keys()).filter((row) => batch.hiddenPlaces[row]! >= 0);
      const K = wantedRows(R, wanted.length);
      const ready = this.model.program(K === undefined ? `rows ${R}` : `rows ${R}, ${K} wanted`, (gates) => rowsProgram(this.model.config, R, M, this.cache, gates, K));
      await this.#send(ready, (inputs) => {
        this.model.setModelInputs(inputs);
        const fill = (name: string, values: ArrayLike<number>, rest: number) => inputs.set(name, rest).get(name).set(values);
        const all = (values: Int32Array) => values.subarray(0, numRows);
        fill("tokens", all(batch.tokens), 0);
        fill("rowPositions", all(batch.positions), -1);
        fill("starts", all(batch.starts), 0);
        fill("places", all(batch.places), -1);
        fill("keyRows", batch.keyRows.subarray(0, this.#numListed), 0);
        if (this.model.config.position.kind === "learned") fill(POSITIONS, all(batch.positions), 0);
        if (K === undefined) return fill("hiddenPlaces", all(batch.hiddenPlaces), -1);
        const of = (values: Int32Array) => wanted.map((row) => values[row]!);
        fill("wanted", wanted, 0);
        fill("wantedPositions", of(batch.positions), -1);
        fill("wantedStarts", of(batch.starts), 0);
        fill("hiddenPlaces", of(batch.hiddenPlaces), -1);
      });
    }
    this.discard();
  }

  /** Drops the batch that is being collected; released rows can be taken again. */
  discard(): void {
    this.#numRows = 0;
    this.#numListed = 0;
    for (const row of this.#released) this.#unused.push(row);
    this.#released = [];
  }

  /**
   * Nats of given next tokens after kept hidden states.
   *
   * @param report  called for each pair by its index: loss, whether the target is the first choice, and the logarithm of
   *   the sum over the vocabulary
   */
  async score(rows: readonly number[], targets: readonly number[], report: (pair: number, loss: number, greedy: boolean, lse: number) => void): Promise<void> {
    for (let first = 0; first < rows.length; first += MAX_ROWS) {
      const count = Math.min(MAX_ROWS, rows.length - first);
      const K = programRows(count);
      const ready = this.model.program(`scoring ${K}`, () => scoringProgram(this.model.config, K, this.cache));
      const { inputs: [inputs], outputs } = ready;
      inputs.set("rows", 0).set("targets", -1).set("weights", 1);
      inputs.get("rows").set(rows.slice(first, first + count));
      inputs.get("targets").set(targets.slice(first, first + count));
      await ready.program.run(inputs.bytes, outputs.bytes);
      this.#throwFailure();
      const [loss, greedy, lse] = [outputs.get("tokenLoss"), outputs.get("greedy"), outputs.get("lse")];
      for (let i = 0; i < count; i++) report(first + i, loss[i]!, greedy[i] === 1, lse[i]!);
    }
  }

  /** Logits after kept hidden states, `[V]` each: views that are valid during the call. */
  async logits(rows: readonly number[], read: (index: number, logits: Float32Array) => void): Promise<void> {
    const V = this.model.config.vocabSize;
    const most = Math.max(1, Math.min(MAX_ROWS, 2 ** Math.floor(Math.log2(MAX_LOGITS / V))));
    for (let first = 0; first < rows.length; first += most) {
      const count = Math.min(most, rows.length - first);
      const K = programRows(count);
      const ready = this.model.program(`next logits ${K}`, () => nextLogitsProgram(this.model.config, K, this.cache));
      const { inputs: [inputs], outputs } = ready;
      inputs.set("rows", 0).get("rows").set(rows.slice(first, first + count));
      await ready.program.run(inputs.bytes, outputs.bytes);
      this.#throwFailure();
      const logits = outputs.get("logits") as Float32Array;
      for (let i = 0; i < count; i++) read(first + i, logits.subarray(i * V, (i + 1) * V));
    }
  }

  /** Fills one of the two host buffers of a program once the run that reads it has ended, and starts a run. */
  async #send(ready: Ready, fill: (inputs: Ready["inputs"][0]) => void): Promise<void> {
    const running = this.#running.get(ready) ?? [];
    this.#running.set(ready, running);
    const turn = this.#turn.get(ready) ?? 0;
    this.#turn.set(ready, 1 - turn);
    await running[turn]?.catch(() => {});
    this.#throwFailure();
    const inputs = ready.inputs[turn as 0 | 1];
    fill(inputs);
    running[turn] = ready.program.run(inputs.bytes, ready.outputs.bytes);
    running[turn].catch((error: unknown) => (this.#failure ??= error));
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

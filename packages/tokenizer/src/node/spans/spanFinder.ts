import { join } from "node:path";
import { ConfigError } from "@espalier/core";
import { Records } from "./records.ts";

/** Where a document is: its order in the corpus is the order of these three. */
export type DocumentPlace = readonly [file: number, batch: number, document: number];

/** Sentences `from .. to - 1` of a document are in spans that came up before. */
export type RepeatedSpan = readonly [...DocumentPlace, from: number, to: number];

export interface SpanFinderOptions {
  /** Where spans go that do not fit; names begin with `spans.` and end with `.partial`. */
  directory: string;
  /** Sentences of a span. */
  sentences: number;
  /** Of the table of spans. Default 256 MiB. */
  memoryBytes?: number;
}

const PARTITIONS = 64;
const SPAN_WORDS = 6; // hash (2), file, batch, document, sentence
const REPEATED_WORDS = 5;
/** Slots of the table a span. */
const ROOM = 1.5;
const LEAST_BYTES = 1 << 16;

/**
 * Finds which spans of sentences came up before, in memory that does not grow with the corpus: spans are put into
 * partitions by their hash, in the order of the text; a partition is then gone through with a table of its first
 * occurrences, as often as its spans do not fit the table at once. 24 bytes of disk a span while it works.
 *
 * Two different spans are taken for one when their 64-bit hashes meet: of 10^9 spans, one in about 40 corpora loses a span so.
 */
export class SpanFinder {
  readonly #options: Required<SpanFinderOptions>;
  readonly #partitions: Records[];
  readonly #opened: Records[] = [];

  /** @throws {ConfigError} when the memory is too small */
  constructor({ directory, sentences, memoryBytes = 2 ** 28 }: SpanFinderOptions) {
    if (!(memoryBytes >= LEAST_BYTES)) throw new ConfigError(`repeated spans: memoryBytes is ${memoryBytes}, expected at least ${LEAST_BYTES}. Allow more memory.`);
    this.#options = { directory, sentences, memoryBytes };
    this.#partitions = Array.from({ length: PARTITIONS }, (_, i) => this.#records(`${i}`, SPAN_WORDS));
  }

  /**
   * Adds the spans of a document; documents come in their order.
   *
   * @param hashes low and high half of each in turn; the i-th span begins with the i-th sentence
   * @throws {FileError} on a full disk
   */
  add([file, batch, document]: DocumentPlace, hashes: Uint32Array): void {
    for (let i = 0; i < hashes.length; i += 2) {
      const high = hashes[i + 1]!;
      this.#partitions[high >>> 26]!.push(hashes[i]!, high, file, batch, document, i / 2);
    }
  }

  /** Every repeated span in the order of the text. Nothing may be added any more. */
  *repeated(): Generator<RepeatedSpan> {
    const found = this.#partitions.map((partition, i) => {
      const repeated = this.#later(partition, `${i}`);
      partition.close();
      return repeated;
    });
    yield* inOrder(found);
  }

  /** Removes all files. */
  close(): void {
    for (const records of this.#opened.splice(0)) records.close();
  }

  /** Spans of a partition that are not the first of their hash. */
  #later(partition: Records, name: string): Records {
    const rounds = Math.max(1, Math.ceil((partition.length * ROOM * SPAN_WORDS * 4) / this.#options.memoryBytes));
    const parts = Array.from({ length: rounds }, (_, round) => {
      const later = this.#records(`${name}.${round}`, REPEATED_WORDS);
      const table = new FirstSpans(Math.ceil((partition.length / rounds) * ROOM) + 1024);
      for (const span of partition) {
        if (rounds > 1 && (span[1]! & 0x3ffffff) % rounds !== round) continue;
        const first = table.firstOf(span);
        if (!first) continue;
        const [, , file, batch, document, sentence] = span as unknown as [number, number, number, number, number, number];
        const isSame = first[2] === file && first[3] === batch && first[4] === document;
        const to = sentence + this.#options.sentences;
        const from = isSame ? Math.max(sentence, first[5]! + this.#options.sentences) : sentence; // the first one stays whole
        if (from < to) later.push(file, batch, document, from, to);
      }
      return later;
    });
    if (parts.length === 1) return parts[0]!;
    const all = this.#records(`${name}.all`, REPEATED_WORDS);
    for (const repeated of inOrder(parts)) all.push(...repeated);
    for (const part of parts) part.close();
    return all;
  }

  #records(name: string, words: number): Records {
    const records = new Records(join(this.#options.directory, `spans.${name}.partial`), words);
    this.#opened.push(records);
    return records;
  }
}

/** First occurrences by hash, in one flat table. */
class FirstSpans {
  readonly #table: Uint32Array;
  readonly #slots: number;

  constructor(slots: number) {
    this.#slots = slots;
    this.#table = new Uint32Array(slots * SPAN_WORDS);
  }

  /** The span that came first with this hash; nothing for the first one, which is kept. */
  firstOf(span: Uint32Array): Uint32Array | undefined {
    const [low, high] = [span[0]!, span[1]!];
    for (let slot = Math.floor((low / 2 ** 32) * this.#slots), tries = 0; tries < this.#slots; tries++) {
      const at = slot * SPAN_WORDS;
      const sentence = this.#table[at + 5]!; // from 1; 0: free
      if (sentence === 0) {
        this.#table.set(span, at);
        this.#table[at + 5] = span[5]! + 1;
        return undefined;
      }
      if (this.#table[at] === low && this.#table[at + 1] === high) {
        const first = this.#table.slice(at, at + SPAN_WORDS);
        first[5] = sentence - 1;
        return first;
      }
      slot = slot + 1 === this.#slots ? 0 : slot + 1;
    }
    throw new Error(`repeated spans: more than ${this.#slots} hashes in one part of a table, which chance does not give`);
  }
}

/** Sequences in order, as one. */
function* inOrder(sources: readonly Iterable<Uint32Array>[]): Generator<RepeatedSpan> {
  const open = sources.map((source) => source[Symbol.iterator]());
  const heads = open.map((source) => source.next());
  for (;;) {
    let least = -1;
    for (const [i, head] of heads.entries()) if (!head.done && (least < 0 || isBefore(head.value, heads[least]!.value as Uint32Array))) least = i;
    if (least < 0) return;
    yield [...(heads[least]!.value as Uint32Array)] as unknown as RepeatedSpan; // a copy: its source goes on below
    heads[least] = open[least]!.next();
  }
}

function isBefore(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < REPEATED_WORDS; i++) if (a[i] !== b[i]) return a[i]! < b[i]!;
  return false;
}

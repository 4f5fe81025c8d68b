import type { EncodeCore } from "../encodeCore.ts";
import type { PatternName } from "../pretokenize/patterns.ts";
import type { LearnedPairs, LearnLimits } from "../train/learnTokens.ts";
import type { PieceCounts, Pieces } from "../train/pieceCounts.ts";
import type { Ranks } from "../vocabulary.ts";

/**
 * The encoder of the addon, or nothing: where the addon is not built, and for a vocabulary that cannot be used.
 *
 * @param instructionSet one of `instructionSets()`, for tests; default: the best of this processor
 */
export type NativeEncodeCore = (ranks: Ranks, pattern: PatternName, instructionSet?: string) => EncodeCore | undefined;

/** The addon's BPE over characters by a definition of native/core/character_bpe.h, or nothing as above. */
export type NativeCharacterCore = (definition: Uint32Array) => EncodeCore | undefined;

/** The addon's counter of pieces, or nothing where it is not built. */
export type NativePieceCounts = (pattern: PatternName) => PieceCounts | undefined;

/** The addon's `learnTokens`, or nothing where it is not built. */
export type NativeLearnTokens = (pieces: Pieces, limits: LearnLimits) => LearnedPairs | undefined;

/** Texts of JSON lines end to end, as the addon finds them; `malformed` has number, begin and end of every line without a text. */
export type NativeTextsOfLines = (lines: Uint8Array, field: Uint8Array, out: Uint8Array) => [numLines: number, ends: Uint32Array, numbers: Uint32Array, malformed: Uint32Array] | undefined;

/** What the addon's threads found in a batch of JSON lines; documents are the texts that are not blank. */
export interface LinesTreated {
  numLines: number;
  /** Line of each document, from 1 `[documents]`. */
  numbers: Uint32Array;
  /** Number, begin and end of every line without a text. */
  malformed: Uint32Array;
  /** Where each text ends, all end to end `[documents]`. */
  textEnds: Uint32Array;
  /** The first 16 bytes of the sha256 of each text `[4 * documents]`. */
  hashes: Uint32Array;
  /** `splitPosition` of each text `[documents]`. */
  positions: Float64Array;
  /** Where the ids of each document end, its separator included `[documents]`. */
  ends: Uint32Array;
}

/** Threads of the addon, each with an encoder of its own. */
export interface TreatPool {
  /**
   * @param lines  whole JSON lines
   * @param ids    result: ids with separators, end to end
   * @returns      room for how many is enough, where the ids do not fit
   */
  treat(lines: Uint8Array, ids: Uint32Array): Promise<LinesTreated | number>;
  /** Ends the threads; what is not done is rejected. */
  close(): void;
}

/** Threads that make ids of JSON lines; nothing where the addon is not built. */
export type NativeTreatPool = (
  definition: { ranks: Ranks; pattern: PatternName; ids?: Uint32Array; separator: number },
  textField: Uint8Array,
  threads: number,
) => TreatPool | undefined;

/** A gzip file that is decompressed piece by piece. */
export interface NativeGunzip {
  /**
   * Decompresses, on a thread of Node's pool, until the input ends or `out` is full. One call at a time.
   *
   * @param input   what was not consumed of the last call's, and more; less than `LOOKAHEAD_BYTES` may be left over
   * @param isLast  whether nothing follows
   * @returns       `problem`: why it cannot go on, in the words of zlib, once all that could be decompressed was written
   */
  run(input: Uint8Array, begin: number, end: number, isLast: boolean, out: Uint8Array): Promise<[consumed: number, written: number, isDone: boolean, problem?: string]>;
}

/** The addon's decompressor of gzip, or nothing where it is not built. */
export type CreateNativeGunzip = () => NativeGunzip | undefined;

/** The check value of gzip, for tests; `portable` leaves out the instructions of the processor. */
export type NativeCrc32 = (data: Uint8Array, portable: boolean) => number | undefined;

/** A sha256 of bytes that come piece by piece. */
export interface NativeSha256 {
  /** On a thread of Node's pool; one call at a time. The bytes may not be touched before it is through. */
  update(bytes: Uint8Array): Promise<void>;
  /** Of all that came; nothing may come behind it. */
  digest(): Uint8Array;
}

/** The addon's sha256, or nothing where it is not built. */
export type CreateNativeSha256 = () => NativeSha256 | undefined;

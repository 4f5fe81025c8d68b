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

/** The addon's counter of pieces, or nothing where it is not built. */
export type NativePieceCounts = (pattern: PatternName) => PieceCounts | undefined;

/** The addon's `learnTokens`, or nothing where it is not built. */
export type NativeLearnTokens = (pieces: Pieces, limits: LearnLimits) => LearnedPairs | undefined;

/** Texts of JSON lines end to end, as the addon finds them; `malformed` has number, begin and end of every line without a text. */
export type NativeTextsOfLines = (lines: Uint8Array, field: Uint8Array, out: Uint8Array) => [numLines: number, ends: Uint32Array, numbers: Uint32Array, malformed: Uint32Array] | undefined;

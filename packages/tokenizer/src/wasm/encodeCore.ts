import { type EncodeCore, OUTPUT_SLACK } from "../encodeCore.ts";
import { type PatternName, patterns } from "../pretokenize/patterns.ts";
import { codePointClass } from "../unicode/classTable.ts";
import type { Ranks } from "../vocabulary.ts";
import { instantiate, type Memory } from "./module.ts";
import { safeCuts } from "./safeCuts.ts";

/** What native/wasm.cc exports; all arguments are addresses or sizes in bytes. */
interface Exports {
  memory: Memory;
  __heap_base: { readonly value: number };
  arenaBytes(offsets: number, numTokens: number): number;
  /** Zero when the vocabulary is not usable. */
  create(arena: number, bytes: number, tokens: number, offsets: number, numTokens: number, classes: number, pattern: number): number;
  /** Number of ids, or minus the KiB of scratch that are needed. */
  encode(encoder: number, out: number, text: number, size: number, scratch: number, scratchBytes: number): number;
}

const PAGE = 1 << 16;
const KIB = 1 << 10;
/** Longer texts are encoded in stretches: memory of WebAssembly grows and never shrinks. */
const STRETCH_BYTES = 1 << 20;

const aligned = (address: number): number => Math.ceil(address / 64) * 64;

/**
 * The C++ core as WebAssembly, in a memory of its own: the encoder at the bottom, above it the text, its ids and scratch
 * of one call. Nothing where the engine has no WebAssembly with SIMD or forbids it, and for a vocabulary that cannot be
 * used: the TypeScript encoder gives the same ids, and says what is wrong.
 */
export function webAssemblyEncodeCore(ranks: Ranks, pattern: PatternName): EncodeCore | undefined {
  const core = instantiate<Exports>();
  if (!core) return undefined;
  const { memory } = core;
  const reserve = (end: number): void => {
    const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE);
    if (missing > 0) memory.grow(missing);
  };
  const write = (at: number, array: Uint8Array | Uint32Array): number => {
    reserve(at + array.byteLength);
    if (array instanceof Uint8Array) new Uint8Array(memory.buffer).set(array, at);
    else new Uint32Array(memory.buffer).set(array, at / 4);
    return aligned(at + array.byteLength);
  };

  const arena = aligned(core.__heap_base.value);
  const offsets = ranks.offsets;
  const numTokens = offsets.length - 1;
  write(arena, offsets);
  const arenaBytes = core.arenaBytes(arena, numTokens);
  new Uint8Array(memory.buffer, arena, offsets.byteLength).fill(0);
  const above = aligned(arena + arenaBytes);
  const tokensAt = write(above, offsets);
  const classesAt = write(tokensAt, ranks.bytes);
  write(classesAt, codePointClass);
  const encoder = core.create(arena, arenaBytes, tokensAt, above, numTokens, classesAt, patterns[pattern].nativeNumber);
  if (encoder === 0) return undefined;

  let scratchBytes = 0;
  const encodeStretch = (bytes: Uint8Array, out: Uint32Array, at: number): number => {
    const outAt = write(above, bytes);
    const scratchAt = aligned(outAt + (bytes.length + OUTPUT_SLACK) * 4);
    for (;;) {
      reserve(scratchAt + scratchBytes);
      const written = core.encode(encoder, outAt, above, bytes.length, scratchAt, scratchBytes);
      if (written < 0) {
        scratchBytes = -written * KIB;
        continue;
      }
      out.set(new Uint32Array(memory.buffer, outAt, written), at);
      return at + written;
    }
  };
  return {
    kind: "wasm",
    encode(bytes, out) {
      if (bytes.length <= STRETCH_BYTES) return encodeStretch(bytes, out, 0);
      let written = 0;
      let start = 0;
      for (const end of safeCuts(bytes, STRETCH_BYTES)) {
        written = encodeStretch(bytes.subarray(start, end), out, written);
        start = end;
      }
      return written;
    },
  };
}

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
  /** Zero when the words are no definition. */
  characterArenaBytes(words: number, numWords: number): number;
  /** Zero when it is not usable. */
  createCharacters(arena: number, bytes: number, words: number, numWords: number): number;
  encodeCharacters: Exports["encode"];
}

const PAGE = 1 << 16;
const KIB = 1 << 10;
/** Longer texts are encoded in stretches: memory of WebAssembly grows and never shrinks. */
const STRETCH_BYTES = 1 << 20;

const aligned = (address: number): number => Math.ceil(address / 64) * 64;

/** An instance of the module with its memory: the encoder at the bottom, above it the text, its ids and scratch of one call. */
class Instance {
  readonly exports: Exports;
  readonly arena: number;
  #scratchBytes = 0;

  constructor(exports: Exports) {
    this.exports = exports;
    this.arena = aligned(exports.__heap_base.value);
  }

  #reserve(end: number): void {
    const missing = Math.ceil((end - this.exports.memory.buffer.byteLength) / PAGE);
    if (missing > 0) this.exports.memory.grow(missing);
  }

  /** Returns where there is room behind it. */
  write(at: number, array: Uint8Array | Uint32Array): number {
    this.#reserve(at + array.byteLength);
    const { buffer } = this.exports.memory;
    if (array instanceof Uint8Array) new Uint8Array(buffer).set(array, at);
    else new Uint32Array(buffer).set(array, at / 4);
    return aligned(at + array.byteLength);
  }

  /** Bytes of an arena that `size` says, which reads words where the arena will be. */
  arenaBytes(words: Uint32Array, size: (at: number) => number): number {
    this.write(this.arena, words);
    const bytes = size(this.arena);
    new Uint8Array(this.exports.memory.buffer, this.arena, words.byteLength).fill(0);
    return bytes;
  }

  /** Ids of one text to `out` from `at` on, with memory from `above` on; returns the place behind the last. */
  encode(encode: Exports["encode"], encoder: number, above: number, bytes: Uint8Array, out: Uint32Array, at: number): number {
    const outAt = this.write(above, bytes);
    const scratchAt = aligned(outAt + (bytes.length + OUTPUT_SLACK) * 4);
    for (;;) {
      this.#reserve(scratchAt + this.#scratchBytes);
      const written = encode(encoder, outAt, above, bytes.length, scratchAt, this.#scratchBytes);
      if (written < 0) {
        this.#scratchBytes = -written * KIB;
        continue;
      }
      out.set(new Uint32Array(this.exports.memory.buffer, outAt, written), at);
      return at + written;
    }
  }
}

/**
 * The C++ core as WebAssembly, in a memory of its own. Nothing where the engine has no WebAssembly with SIMD or forbids it,
 * and for a vocabulary that cannot be used: the TypeScript encoder gives the same ids, and says what is wrong.
 */
export function webAssemblyEncodeCore(ranks: Ranks, pattern: PatternName): EncodeCore | undefined {
  const core = instantiate<Exports>();
  if (!core) return undefined;
  const instance = new Instance(core);
  const { arena } = instance;
  const { offsets } = ranks;
  const numTokens = offsets.length - 1;
  const arenaBytes = instance.arenaBytes(offsets, (at) => core.arenaBytes(at, numTokens));
  const above = aligned(arena + arenaBytes);
  const tokensAt = instance.write(above, offsets);
  const classesAt = instance.write(tokensAt, ranks.bytes);
  instance.write(classesAt, codePointClass);
  const encoder = core.create(arena, arenaBytes, tokensAt, above, numTokens, classesAt, patterns[pattern].nativeNumber);
  if (encoder === 0) return undefined;
  return {
    kind: "wasm",
    encode(bytes, out) {
      if (bytes.length <= STRETCH_BYTES) return instance.encode(core.encode, encoder, above, bytes, out, 0);
      let written = 0;
      let start = 0;
      for (const end of safeCuts(bytes, STRETCH_BYTES)) {
        written = instance.encode(core.encode, encoder, above, bytes.subarray(start, end), out, written);
        start = end;
      }
      return written;
    },
  };
}

/** The core's BPE over characters as WebAssembly, by a definition of native/core/character_bpe.h; nothing as above. */
export function webAssemblyCharacterCore(definition: Uint32Array): EncodeCore | undefined {
  const core = instantiate<Exports>();
  if (!core) return undefined;
  const instance = new Instance(core);
  const { arena } = instance;
  const arenaBytes = instance.arenaBytes(definition, (at) => core.characterArenaBytes(at, definition.length));
  if (arenaBytes === 0) return undefined;
  const above = aligned(arena + arenaBytes);
  instance.write(above, definition);
  const encoder = core.createCharacters(arena, arenaBytes, above, definition.length);
  if (encoder === 0) return undefined;
  return { kind: "wasm", encode: (bytes, out) => instance.encode(core.encodeCharacters, encoder, above, bytes, out, 0) };
}

import { createRequire } from "node:module";
import { addonPlatform } from "./platform.ts";
import { patterns } from "../pretokenize/patterns.ts";
import { codePointClass } from "../unicode/classTable.ts";
import { byteOrder } from "../train/byteOrder.ts";
import { offsetsOf } from "../train/pieceCounts.ts";
import type { CreateNativeGunzip, CreateNativeSha256, NativeCharacterCore, NativeCrc32, NativeEncodeCore, NativeLearnTokens, NativePieceCounts, NativeTextsOfLines, NativeTreatPool } from "./types.ts";

/** An encoder, a counter, a decompressor, a digest or threads of the addon; its memory goes when this is collected. */
declare const handle: unique symbol;
type Handle = { readonly [handle]: true };

/** What native/addon.cc and the `*_addon.cc` in the folders beside it export. */
interface Addon {
  instructionSets(): string[];
  create(tokens: Uint8Array, offsets: Uint32Array, classes: Uint8Array, pattern: number, instructionSet?: string): Handle | undefined;
  encode(encoder: Handle, text: Uint8Array, out: Uint32Array): number;
  encodeDocuments(encoder: Handle, texts: Uint8Array, ends: Uint32Array, separator: number, out: Uint32Array, idEnds: Uint32Array): number;
  createCharacters(definition: Uint32Array): Handle | undefined;
  encodeCharacters(encoder: Handle, text: Uint8Array, out: Uint32Array): number;
  textsOfLines(lines: Uint8Array, field: Uint8Array, out: Uint8Array): [numLines: number, ends: Uint32Array, numbers: Uint32Array, malformed: Uint32Array];
  createGunzip(): Handle;
  gunzip(gunzip: Handle, input: Uint8Array, begin: number, end: number, isLast: boolean, out: Uint8Array): Promise<[consumed: number, written: number, isDone: boolean, problem?: string]>;
  createSha256(): Handle;
  updateSha256(sha256: Handle, bytes: Uint8Array): Promise<void>;
  digestSha256(sha256: Handle): Uint8Array;
  crc32(data: Uint8Array, portable: boolean): number;
  createPool(tokens: Uint8Array, offsets: Uint32Array, classes: Uint8Array, pattern: number, field: Uint8Array, separator: number, threads: number, ids?: Uint32Array): Handle;
  treatLines(pool: Handle, lines: Uint8Array, ids: Uint32Array): Promise<
    [numLines: number, numbers: Uint32Array, malformed: Uint32Array, textEnds: Uint32Array, hashes: Uint8Array, positions: Float64Array, ends: Uint32Array] | number
  >;
  closePool(pool: Handle): void;
  createCounter(classes: Uint8Array, pattern: number): Handle;
  count(counter: Handle, text: Uint8Array): void;
  counterSize(counter: Handle): [pieces: number, heldBytes: number];
  countedPieces(counter: Handle, clear: boolean): [bytes: Uint8Array, lengths: Uint32Array, counts: Float64Array];
  learn(bytes: Uint8Array, offsets: Uint32Array, counts: Float64Array, order: Uint8Array, size: number, minFrequency: number, maxTokenBytes: number): Uint32Array;
}

let loaded: Addon | null | undefined;

/** The addon of this platform; null where there is none: the other encoders give the same ids. */
function addon(): Addon | null {
  if (loaded === undefined) {
    try {
      loaded = createRequire(import.meta.url)(`#addon/${addonPlatform()}/espalier_tokenizer.node`) as Addon;
    } catch {
      loaded = null;
    }
  }
  return loaded;
}

export const instructionSets = (): string[] => addon()?.instructionSets() ?? [];

export const nativeEncodeCore: NativeEncodeCore = (ranks, pattern, instructionSet) => {
  const native = addon();
  const encoder = native?.create(ranks.bytes, ranks.offsets, codePointClass, patterns[pattern].nativeNumber, instructionSet);
  if (!native || !encoder) return undefined;
  return {
    kind: "native",
    encode: (bytes, out) => native.encode(encoder, bytes, out),
    encodeDocuments: (texts, ends, separator, out, idEnds) => native.encodeDocuments(encoder, texts, ends, separator, out, idEnds),
  };
};

export const nativeCharacterCore: NativeCharacterCore = (definition) => {
  const native = addon();
  const encoder = native?.createCharacters(definition);
  return native && encoder ? { kind: "native", encode: (bytes, out) => native.encodeCharacters(encoder, bytes, out) } : undefined;
};

export const nativeTextsOfLines: NativeTextsOfLines = (lines, field, out) => addon()?.textsOfLines(lines, field, out);

export const createNativeGunzip: CreateNativeGunzip = () => {
  const native = addon();
  if (!native) return undefined;
  const gunzip = native.createGunzip();
  return { run: (input, begin, end, isLast, out) => native.gunzip(gunzip, input, begin, end, isLast, out) };
};

export const createNativeSha256: CreateNativeSha256 = () => {
  const native = addon();
  if (!native) return undefined;
  const sha256 = native.createSha256();
  return { update: (bytes) => native.updateSha256(sha256, bytes), digest: () => native.digestSha256(sha256) };
};

export const nativeCrc32: NativeCrc32 = (data, portable) => addon()?.crc32(data, portable);

export const nativeTreatPool: NativeTreatPool = ({ ranks, pattern, ids, separator }, textField, threads) => {
  const native = addon();
  if (!native) return undefined;
  const pool = native.createPool(ranks.bytes, ranks.offsets, codePointClass, patterns[pattern].nativeNumber, textField, separator, threads, ids);
  return {
    async treat(lines, out) {
      const found = await native.treatLines(pool, lines, out);
      if (typeof found === "number") return found;
      const [numLines, numbers, malformed, textEnds, hashes, positions, ends] = found;
      return { numLines, numbers, malformed, textEnds, hashes: new Uint32Array(hashes.buffer), positions, ends };
    },
    close: () => native.closePool(pool),
  };
};

export const nativePieceCounts: NativePieceCounts = (pattern) => {
  const native = addon();
  if (!native) return undefined;
  const counter = native.createCounter(codePointClass, patterns[pattern].nativeNumber);
  const take = (clear: boolean) => {
    const [bytes, lengths, counts] = native.countedPieces(counter, clear);
    return { bytes, offsets: offsetsOf(lengths), counts };
  };
  return {
    pattern,
    add: (document) => native.count(counter, document),
    get numPieces() {
      return native.counterSize(counter)[0];
    },
    get heldBytes() {
      return native.counterSize(counter)[1];
    },
    pieces: () => take(false),
    drain: () => take(true),
  };
};

export const nativeLearnTokens: NativeLearnTokens = ({ bytes, offsets, counts }, { size, minFrequency, maxTokenBytes }) =>
  addon()?.learn(bytes, offsets, counts, byteOrder, size, minFrequency, maxTokenBytes);

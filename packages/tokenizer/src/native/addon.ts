import { createRequire } from "node:module";
import { patterns } from "../pretokenize/patterns.ts";
import { codePointClass } from "../unicode/classTable.ts";
import type { NativeEncodeCore } from "./types.ts";

/** An encoder of the addon; its memory goes when this is collected. */
declare const handle: unique symbol;
type Handle = { readonly [handle]: true };

/** What native/addon.cc exports. */
interface Addon {
  instructionSets(): string[];
  create(tokens: Uint8Array, offsets: Uint32Array, classes: Uint8Array, pattern: number, instructionSet?: string): Handle | undefined;
  encode(encoder: Handle, text: Uint8Array, out: Uint32Array): number;
}

let loaded: Addon | null | undefined;

/** The addon of this platform; null where it is not built: the TypeScript encoder gives the same ids. */
function addon(): Addon | null {
  if (loaded === undefined) {
    try {
      loaded = createRequire(import.meta.url)(`#addon/${process.platform}-${process.arch}/espalier_tokenizer.node`) as Addon;
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
  return { kind: "native", encode: (bytes, out) => native.encode(encoder, bytes, out) };
};

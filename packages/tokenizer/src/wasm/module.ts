import { MODULE_BASE64 } from "./moduleBytes.ts";

declare const compiledModule: unique symbol;
type Module = { readonly [compiledModule]: true };

/** A memory of WebAssembly; its buffer is another one after `grow`. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** What is used of the engine's `WebAssembly`, which belongs to no library of types that both Node and browsers have. */
interface Engine {
  Module: new (bytes: Uint8Array) => Module;
  Instance: new (module: Module) => { readonly exports: unknown };
}
const engine = (globalThis as unknown as { WebAssembly?: Engine }).WebAssembly;

let compiled: Module | null | undefined;

/**
 * A new instance of native/wasm.cc, whose module is compiled once; nothing where that cannot be: no WebAssembly, no
 * SIMD, or a content security policy without `wasm-unsafe-eval`. The module is small enough to be compiled at once on
 * a browser's main thread.
 */
export function instantiate<Exports>(): Exports | undefined {
  if (compiled === undefined) {
    try {
      compiled = new engine!.Module(Uint8Array.from(atob(MODULE_BASE64), (character) => character.charCodeAt(0)));
    } catch {
      compiled = null;
    }
  }
  return compiled ? (new engine!.Instance(compiled).exports as Exports) : undefined;
}

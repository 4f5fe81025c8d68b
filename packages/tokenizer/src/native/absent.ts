import type { NativeEncodeCore } from "./types.ts";

/** Where there is no Node there is no addon. */
export const nativeEncodeCore: NativeEncodeCore = () => undefined;
export const instructionSets = (): string[] => [];

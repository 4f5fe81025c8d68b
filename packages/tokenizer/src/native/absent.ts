import type { CreateNativeGunzip, CreateNativeSha256, NativeCharacterCore, NativeCrc32, NativeEncodeCore, NativeLearnTokens, NativePieceCounts, NativeTextsOfLines, NativeTreatPool } from "./types.ts";

/** Where there is no Node there is no addon. */
export const nativeEncodeCore: NativeEncodeCore = () => undefined;
export const nativeCharacterCore: NativeCharacterCore = () => undefined;
export const nativePieceCounts: NativePieceCounts = () => undefined;
export const nativeLearnTokens: NativeLearnTokens = () => undefined;
export const nativeTextsOfLines: NativeTextsOfLines = () => undefined;
export const nativeTreatPool: NativeTreatPool = () => undefined;
export const createNativeGunzip: CreateNativeGunzip = () => undefined;
export const createNativeSha256: CreateNativeSha256 = () => undefined;
export const nativeCrc32: NativeCrc32 = () => undefined;
export const instructionSets = (): string[] => [];

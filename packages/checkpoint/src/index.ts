export { bf16ToF32, f32ToBf16, type SafetensorsDType } from "./dtype.ts";
export type { SafetensorsHeader, TensorInfo, TensorRecord } from "./header.ts";
export { openSafetensors, type SafetensorsFile } from "./read.ts";
export { type TensorSource, type WriteOptions, type WrittenFile, writeSafetensors } from "./write.ts";

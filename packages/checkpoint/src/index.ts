export { bf16ToF32, f16ToF32, f32ToBf16, type SafetensorsDType } from "./dtype.ts";
export type { SafetensorsHeader, TensorInfo, TensorRecord } from "./header.ts";
export { type HuggingFaceModel, openHuggingFace, type OpenHuggingFaceOptions } from "./huggingFace/open.ts";
export { writeHuggingFace, type WriteHuggingFaceOptions } from "./huggingFace/write.ts";
export { openSafetensors, type SafetensorsFile } from "./read.ts";
export { type TensorSource, type WriteOptions, type WrittenFile, writeSafetensors } from "./write.ts";

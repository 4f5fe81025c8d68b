export { availableBackends, type Backend } from "./availableBackends.ts";
export { type CpuExecutor, type CpuExecutorOptions, cpuExecutor, type InstructionPath, instructionPaths } from "./cpuExecutor.ts";
export { type CudaExecutorOptions, cudaExecutor } from "./cudaExecutor.ts";
export { type CudaStatus, cudaStatus } from "./cudaLibrary.ts";
export { type NativeStatus, nativeStatus } from "./nativeStatus.ts";
export type { NativeProgram } from "./nativeProgram.ts";

export { availableBackends, type Backend, type BackendOptions } from "./availableBackends.ts";
export { type CpuExecutor, type CpuExecutorOptions, cpuExecutor, type InstructionPath, instructionPaths } from "./cpuExecutor.ts";
export { type CudaExecutorOptions, cudaExecutor } from "./cudaExecutor.ts";
export { type Device, deviceExecutor, type DeviceExecutorOptions, devices } from "./deviceExecutor.ts";
export { type CudaStatus, cudaStatus, emulatedCuda } from "./cudaLibrary.ts";
export { type NativeStatus, nativeStatus } from "./nativeStatus.ts";
export type { NativeProgram } from "./nativeProgram.ts";

import { ConfigError } from "@espalier/core";
import { type CpuExecutor, cpuExecutor, type CpuExecutorOptions } from "./cpuExecutor.ts";
import { type CudaExecutor, cudaExecutor, type CudaExecutorOptions } from "./cudaExecutor.ts";

/** Where programs run. */
export type Device = "cpu" | "cuda";
export const devices: readonly Device[] = ["cpu", "cuda"];

export interface DeviceExecutorOptions extends Pick<CpuExecutorOptions, "numThreads" | "isa">, Pick<CudaExecutorOptions, "precision"> {
  /** Default `cpu`. A GPU that is asked for and missing is an error, never a fall to the slow path. */
  device?: Device;
}

/**
 * The executor of a device: `cpuExecutor` with `numThreads` and `isa`, or `cudaExecutor` with `precision`.
 *
 * @throws {DeviceError} when the addon, the CUDA kernels or a GPU are not there, naming what was tried
 * @throws {ConfigError} for an unknown device, and for threads or instructions of a processor beside `cuda`
 */
export function deviceExecutor({ device = "cpu", numThreads, isa, precision }: DeviceExecutorOptions = {}): CpuExecutor | CudaExecutor {
  if (device === "cpu") return cpuExecutor({ ...(numThreads !== undefined && { numThreads }), ...(isa && { isa }) });
  if (device !== "cuda") {
    throw new ConfigError(`deviceExecutor: device: is "${String(device)}", expected ${devices.join(" or ")}. Correct the name.`);
  }
  if (numThreads !== undefined || isa) {
    throw new ConfigError(`deviceExecutor: ${isa ? "isa" : "numThreads"}: is of a processor, and the device is cuda. Leave it out.`);
  }
  return cudaExecutor({ ...(precision && { precision }) });
}

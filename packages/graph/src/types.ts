/**
 * The shared vocabulary of tracing, planning and execution. Executors see only `Program`.
 */

export type DType = "f32" | "i32";

/**
 * What the factors of matrix products are rounded to before they are multiplied. `bf16`: 8 bits of mantissa, nearest, ties
 * to even. Tensors in memory, sums, gradients of parameters, norms, softmax and the optimiser are fp32 either way.
 */
export type Precision = "fp32" | "bf16";
export const precisions: readonly Precision[] = ["fp32", "bf16"];

/** Bytes of one element. */
export const dtypeBytes = { f32: 4, i32: 4 } as const satisfies Record<DType, number>;

/**
 * Where a tensor's storage comes from.
 * - `arena`: an intermediate; planned offsets, reused by liveness
 * - `owned`: parameters, moments, gradients, births; lives across runs, bound by name
 * - `runtime`: everything the host may change between replays (tokens, targets, learning rate, gates, flags)
 * - `output`: small results copied back to the host after each run
 */
export type Region = "arena" | "owned" | "runtime" | "output";

export interface TensorInfo {
  id: number;
  shape: readonly number[];
  dtype: DType;
  region: Region;
  /** Unique among tensors of `owned`, `runtime` and `output`; a label for intermediates. */
  name: string;
}

/** Numbers only, so that a program crosses a C interface unchanged; booleans are 0 or 1. */
export type Attributes = Readonly<Record<string, number>>;

export interface GraphNode {
  op: string;
  inputs: readonly number[];
  /** New tensors, or tensors of region `owned` that the op updates in place. */
  outputs: readonly number[];
  attributes: Attributes;
}

/** Nodes `[first, end)` of a trace that may be computed again in the backward pass. */
export interface Segment {
  name: string;
  first: number;
  end: number;
}

/** A traced computation: nodes in execution order over numbered tensors. */
export interface GraphData {
  tensors: readonly TensorInfo[];
  nodes: readonly GraphNode[];
  /** Of the trace as it was recorded; a rewritten graph has none. */
  segments?: readonly Segment[];
}

/** A tensor with its place: bytes from the start of the arena, runtime or output buffer; 0 for owned. */
export interface PlacedTensor extends TensorInfo {
  offset: number;
  bytes: number;
  /** Another tensor with the same storage under another shape. Executors need not care: the offset is the same. */
  viewOf?: number;
  /** An intermediate whose storage is not reused, so that `readTensor` may read it after a run. */
  kept?: boolean;
}

/** What an executor replays. Offsets are multiples of 64 bytes. */
export interface Program {
  tensors: readonly PlacedTensor[];
  instructions: readonly GraphNode[];
  arenaBytes: number;
  runtimeBytes: number;
  outputBytes: number;
}

/** Memory of an executor's device. Handles, not ArrayBuffers: native memory must not be detached under a kernel. */
export interface DeviceBuffer {
  readonly bytes: number;
  write(source: ArrayBufferView, byteOffset?: number): void;
  read(target: ArrayBufferView, byteOffset?: number): void;
  free(): void;
}

/** What an op has cost since its program was loaded: every row sums the calls of one op name. */
export interface OpProfile {
  op: string;
  calls: number;
  seconds: number;
  /** Work of these calls by `nodeFlops`. */
  flops: number;
  /** Least memory traffic of these calls by `nodeBytes`. */
  bytes: number;
}

/** A program ready to run on a device. */
export interface LoadedProgram {
  readonly program: Program;
  /** Bytes that its ops need beside the arena while they run; programs of one executor share the largest. Absent: none. */
  readonly scratchBytes?: number;
  /** Every owned tensor must be bound before the first run. Size must equal the tensor's bytes. */
  bind(name: string, buffer: DeviceBuffer): void;
  /**
   * Copies the runtime inputs in, runs all instructions off the JavaScript thread, copies the outputs back.
   * @param runtime `runtimeBytes` long; @param output receives `outputBytes`
   */
  run(runtime: Uint8Array, output: Uint8Array): Promise<void>;
  /** Value of a kept intermediate after the last run. */
  readTensor(name: string): Float32Array | Int32Array;
  /** Largest share of the time first. */
  profile(): OpProfile[];
  free(): void;
}

/** A device that runs programs: the plain reference, the native CPU kernels, later CUDA. */
export interface Executor {
  /** `reference`, `cpu`, `cuda`. */
  readonly name: string;
  /** `reference`, `portable`, `avx2`, `avx512`, `sm_90`, ... Equal digests hold on one path. */
  readonly instructionPath: string;
  readonly numThreads: number;
  /** Copies of a program's runtime inputs that its device holds beside the program's own, for runs under way. Absent: none. */
  readonly stagedInputs?: number;
  allocate(bytes: number): DeviceBuffer;
  load(program: Program): LoadedProgram;
  /** A program as `load` places it: a device may store intermediates in fewer bytes. For plans of memory; absent: as it is. */
  stored?(program: Program): Program;
}

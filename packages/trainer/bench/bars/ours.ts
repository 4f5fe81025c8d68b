import { random } from "@espalier/core";
import type { Attributes, DType, OpProfile, Precision } from "@espalier/graph";
import { cpuExecutor, type CpuExecutor, type NativeProgram } from "@espalier/kernels";
import { type ModelConfig } from "@espalier/spec/model";
import { DeviceModel } from "../../src/deviceModel.ts";
import { initialParameters, zeroMoments } from "../../src/initialise.ts";
import { trainStep } from "../../src/optimizer.ts";
import type { Side } from "./statistics.ts";
import { clock, median, now } from "./statistics.ts";

interface Operand {
  shape: number[];
  dtype?: DType;
  value?: number;
}

/** An op by itself over buffers of its own, several calls in one run as a training step would make them. */
export class OpBench {
  readonly #program: NativeProgram;
  readonly #calls: number;
  readonly #buffers: { free(): void }[] = [];
  readonly #none = new Uint8Array(0);

  constructor(executor: CpuExecutor, nodes: { op: string; inputs: number[]; outputs: number[]; attributes: Attributes }[], operands: Operand[], calls: number) {
    this.#calls = calls;
    const tensors = operands.map(({ shape, dtype = "f32" }, id) => ({
      id, name: `t${id}`, shape, dtype, region: "owned" as const, offset: 0, bytes: 4 * shape.reduce((a, b) => a * b, 1),
    }));
    const instructions = Array.from({ length: calls }, () => nodes).flat();
    this.#program = executor.load({ tensors, instructions, arenaBytes: 0, runtimeBytes: 0, outputBytes: 0 });
    tensors.forEach((tensor, id) => {
      const buffer = executor.allocate(tensor.bytes);
      const { value } = operands[id]!;
      const chunk = new Float32Array(Math.min(tensor.bytes / 4, 1 << 20));
      for (let i = 0; i < chunk.length; i++) chunk[i] = value ?? (((i * 2654435761) >>> 20) - 2048) / 2048;
      for (let at = 0; at < tensor.bytes; at += chunk.byteLength) {
        buffer.write(chunk.subarray(0, Math.min(chunk.length, (tensor.bytes - at) / 4)), at);
      }
      this.#program.bind(tensor.name, buffer);
      this.#buffers.push(buffer);
    });
  }

  /** Median seconds of one call, over runs of about `seconds`. */
  async secondsPerCall(seconds: number): Promise<number> {
    const times: number[] = [];
    const total = () => (clock === "cpu" ? now() : this.#program.profile().reduce((sum, row) => sum + row.seconds, 0));
    let before = total();
    for (const end = now() + seconds; times.length < 2 || now() < end; ) {
      await this.#program.run(this.#none, this.#none);
      const after = total();
      times.push((after - before) / this.#calls);
      before = after;
    }
    return median(times);
  }

  profile(): OpProfile[] {
    return this.#program.profile();
  }

  free(): void {
    this.#program.free();
    for (const buffer of this.#buffers) buffer.free();
  }
}

export interface GemmShape {
  M: number;
  N: number;
  K: number;
  transA: number;
  transB: number;
}

export function gemmBench(executor: CpuExecutor, { M, N, K, transA, transB }: GemmShape, precision: Precision): OpBench {
  const attributes = { transA, transB, bf16: precision === "bf16" ? 1 : 0, alpha: 1, accumulate: 0, bias: 0, gelu: 0, gate: 0, residual: 0, savePre: 0 };
  const operands = [{ shape: transA ? [K, M] : [M, K] }, { shape: transB ? [N, K] : [K, N] }, { shape: [M, N] }];
  const calls = Math.max(1, Math.round(2e9 / (2 * M * N * K)));
  return new OpBench(executor, [{ op: "matmul", inputs: [0, 1], outputs: [2], attributes }], operands, calls);
}

/** AdamW over one parameter of `count` numbers. */
export function adamwBench(executor: CpuExecutor, count: number): OpBench {
  const shape = [count / 1024, 1024];
  const operands: Operand[] = [
    { shape }, { shape: [1], value: 1 }, { shape: [2], value: 1e-4 }, { shape: [1, 3], value: 1 },
    { shape }, { shape, value: 1e-3 }, { shape, value: 1e-3 },
  ];
  const attributes = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, rateScale: 1 };
  return new OpBench(executor, [{ op: "adamw", inputs: [0, 1, 2, 3], outputs: [4, 5, 6], attributes }], operands, 1);
}

/** Forward and backward of causal attention. */
export function attentionBench(executor: CpuExecutor, B: number, T: number, N: number, D: number): OpBench {
  const heads = { shape: [B, T, N, D] };
  const attributes = { scale: 1 / Math.sqrt(D) };
  // q k v y lse dy dq dk dv
  const operands = [heads, heads, heads, heads, { shape: [B, N, T] }, heads, heads, heads, heads];
  return new OpBench(
    executor,
    [
      { op: "causalAttention", inputs: [0, 1, 2], outputs: [3, 4], attributes },
      { op: "causalAttentionGrad", inputs: [0, 1, 2, 3, 4, 5], outputs: [6, 7, 8], attributes },
    ],
    operands,
    4,
  );
}

/** Whole optimiser steps of a model on random tokens: tokens a second of one step. */
export class StepBench {
  readonly step: Side;
  readonly model: DeviceModel;
  readonly #programs: string[];

  constructor(config: ModelConfig, B: number, numThreads: number, precision: Precision) {
    const executor = cpuExecutor({ numThreads });
    const stream = random(1, "bars");
    const V = config.vocabSize;
    const optimizer = { peakLearningRate: 1e-3, finalShare: 0.1, warmupSteps: 0, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 };
    const moments = { first: zeroMoments(config), second: zeroMoments(config) };
    const model = new DeviceModel(executor, { config, parameters: initialParameters(config, 1), moments }, { precision });
    const T = config.seqLen;
    this.#programs = [`micro ${B} ${T}`, "optimizer"];
    const noise = (first: number) => Int32Array.from({ length: B * T }, (_, i) => stream.integer(first + i, V));
    const batch = { tokens: noise(0), targets: noise(B * T) };
    this.model = model;
    this.step = async () => {
      const start = now();
      await trainStep(model, {
        shape: { B, T }, numMicroBatches: 1, numTargets: B * T,
        batch: () => batch,
        learningRate: 1e-3, optimizer,
      });
      return (B * T) / (now() - start);
    };
  }

  /** Waits for the updates that the last step has left to be done beside the next one. */
  settle(): void {
    this.model.buffer("embedding.weight").read(new Float32Array(1));
  }

  /** Native time of every step so far by op: of the micro-step, then of the optimiser. */
  profile(): OpProfile[] {
    return this.#programs.flatMap((name) => this.model.program(name, () => { throw new Error(name); }).program.profile());
  }
}

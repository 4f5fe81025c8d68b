import { ConfigError } from "@espalier/core";
import { expectPipeline, pipelineOrder, type PipelineOperation, type PipelineShape } from "./pipelineOrder.ts";

/** Seconds that one micro-batch takes on a rank, all of the rank's pieces together. */
export interface RankSeconds {
  forward: number;
  inputGradient: number;
  weightGradient: number;
}

export interface PipelineRequest extends Omit<PipelineShape, "pipeline"> {
  /** One entry a rank: uneven stages and slow devices are entries that differ. */
  ranks: readonly RankSeconds[];
  /** Seconds from one rank to the next, beside whatever both compute. */
  transferSeconds?: number;
}

/** An operation with the times at which a rank began and ended it. */
export interface TimedOperation extends PipelineOperation {
  rank: number;
  start: number;
  end: number;
}

export interface PipelineSimulation {
  /** From the first operation's start to the last one's end. */
  seconds: number;
  /** Seconds that a rank waits in that time, mean over ranks. */
  idleSeconds: number;
  /** Most micro-batches whose activations each rank held at once, in units of its whole depth. */
  inFlight: readonly number[];
  /** In the order in which each rank works, rank after rank. */
  operations: readonly TimedOperation[];
}

/**
 * One step of a pipeline, operation by operation: each starts when its rank is free and its input has arrived. For equal
 * ranks without transfers it takes `m (F + B + W)` and the bubble of the closed form, exactly.
 *
 * @throws {ConfigError} when the shape has no schedule or a time is no number of at least 0
 */
export function simulatePipeline({ ranks, transferSeconds = 0, ...rest }: PipelineRequest): PipelineSimulation {
  const p = ranks.length;
  const shape: PipelineShape = { pipeline: p, ...rest };
  expectPipeline(shape);
  for (const seconds of [transferSeconds, ...ranks.flatMap((rank) => [rank.forward, rank.inputGradient, rank.weightGradient])]) {
    if (!(seconds >= 0 && seconds < Infinity)) throw new ConfigError(`simulatePipeline: a time is ${seconds}, expected seconds of at least 0. Give seconds.`);
  }
  const { microBatches: m, virtualStages: v, schedule } = shape;
  const apart = schedule === "zeroBubble";
  const durations = ranks.map(({ forward, inputGradient, weightGradient }) => ({ F: forward / v, B: (apart ? inputGradient : inputGradient + weightGradient) / v, W: weightGradient }));
  const orders = ranks.map((_, rank) => pipelineOrder(shape, rank));
  // Ends of F and B by place in the model (piece * p + rank) and micro-batch; NaN until known.
  const ends = { F: new Float64Array(p * v * m).fill(Number.NaN), B: new Float64Array(p * v * m).fill(Number.NaN) };
  const arrival = ({ kind, microBatch, piece }: PipelineOperation, rank: number): number => {
    const place = piece * p + rank;
    if (kind === "W") return ends.B[place * m + microBatch]!;
    if (kind === "F") return place === 0 ? 0 : ends.F[(place - 1) * m + microBatch]! + (p > 1 ? transferSeconds : 0);
    if (place === p * v - 1) return ends.F[place * m + microBatch]!;
    return ends.B[(place + 1) * m + microBatch]! + (p > 1 ? transferSeconds : 0);
  };
  const timed: TimedOperation[][] = ranks.map(() => []);
  const clock = new Float64Array(p);
  // A rank works on until an input is missing; what it finished may wake its neighbours.
  const awake = ranks.map((_, rank) => rank);
  for (let rank = awake.shift(); rank !== undefined; rank = awake.shift()) {
    let worked = false;
    for (let next = timed[rank]!.length; next < orders[rank]!.length; next++) {
      const operation = orders[rank]![next]!;
      const ready = arrival(operation, rank);
      if (Number.isNaN(ready)) break;
      const start = Math.max(clock[rank]!, ready);
      const end = start + durations[rank]![operation.kind];
      clock[rank] = end;
      if (operation.kind !== "W") ends[operation.kind][(operation.piece * p + rank) * m + operation.microBatch] = end;
      timed[rank]!.push({ ...operation, rank, start, end });
      worked = true;
    }
    if (worked) for (const neighbour of [(rank + 1) % p, (rank + p - 1) % p]) if (neighbour !== rank && !awake.includes(neighbour)) awake.push(neighbour);
  }
  const seconds = Math.max(...clock);
  const busy = timed.map((operations) => operations.reduce((sum, { start, end }) => sum + end - start, 0));
  return {
    seconds,
    idleSeconds: seconds - busy.reduce((a, b) => a + b, 0) / p,
    inFlight: timed.map((operations) => peakInFlight(operations, apart, v)),
    operations: timed.flat(),
  };
}

/** Activations are kept from the forward pass to the end of the backward pass; with zero-bubble schedules to the weight gradients. */
function peakInFlight(operations: readonly TimedOperation[], apart: boolean, virtualStages: number): number {
  let held = 0;
  let most = 0;
  for (const { kind } of operations) {
    if (kind === "F") most = Math.max(most, ++held);
    else if (kind === (apart ? "W" : "B")) held--;
  }
  return most / virtualStages;
}

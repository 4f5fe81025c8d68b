import { relative } from "node:path";
import { CancelledError, ConfigError, silent } from "@espalier/core";
import { disk, type FileSystem } from "@espalier/core/node";
import { trainingFlopsPerToken } from "@espalier/spec/model";
import type { Stage } from "@espalier/spec/plan";
import type { Metric } from "@espalier/spec/run";
import { type BatchStream, openBatches } from "./batches.ts";
import { type Checkpoint, type HistoryEvent, readModelState, writeCheckpoint } from "./checkpoint.ts";
import { documentSeparator } from "./data.ts";
import { DeviceModel } from "./deviceModel.ts";
import { growModel } from "./growthEvent.ts";
import { initialState } from "./initialise.ts";
import { type StepResult, trainStep } from "./optimizer.ts";
import { stepBatches } from "./packing.ts";
import { newestCheckpoint } from "./resume.ts";
import { listCheckpoints, readEvents, readMetrics, runPaths } from "./runDirectory.ts";
import { RunLog } from "./runLog.ts";
import { learningRateSchedule, stageStarts, sumOverStages, totalSteps } from "./schedule.ts";
import type { TrainHooks, TrainRequest } from "./trainRequest.ts";
import { validate, type ValidationSet, validationSet } from "./validation.ts";

/** Optimiser steps in a row that may be skipped for a gradient norm that is not finite. */
const MAX_SKIPPED_STEPS = 50;
/** Periodic checkpoints that are kept beside those at stage ends and growths. */
const KEPT_CHECKPOINTS = 2;

/** A run under way: the model on the device, the open files, and where in the plan they stand. */
export class Session {
  readonly #request: TrainRequest;
  readonly #hooks: TrainHooks;
  readonly #fileSystem: FileSystem;
  readonly #planDigest: string;
  readonly #starts: readonly number[];
  readonly #learningRate: (step: number) => number;
  readonly #validation: ValidationSet;
  readonly #log: RunLog;
  #model: DeviceModel;
  #stage: number;
  #history: HistoryEvent[];
  #seconds: number;
  /** Opened before the first step, at its token offset; a run that has ended needs none. */
  #batches: BatchStream | undefined;
  #skippedSteps = 0;
  #checkpoint: Checkpoint | undefined;
  /** The log already says that the run has ended. */
  #wasDone = false;

  private constructor(
    request: TrainRequest,
    hooks: TrainHooks,
    planDigest: string,
    start: { model: DeviceModel; seconds: number; checkpoint: Checkpoint | undefined; log: RunLog },
  ) {
    const { plan, data } = request;
    this.#request = request;
    this.#hooks = hooks;
    this.#fileSystem = hooks.fileSystem ?? disk;
    this.#planDigest = planDigest;
    this.#starts = stageStarts(plan);
    this.#learningRate = learningRateSchedule(plan);
    this.#validation = validationSet(data, plan.stages[0]!.model.seqLen, plan.validationSequences, documentSeparator(plan, data));
    this.#log = start.log;
    this.#model = start.model;
    this.#seconds = start.seconds;
    this.#checkpoint = start.checkpoint;
    this.#stage = start.checkpoint?.record.stage ?? 0;
    this.#history = [...(start.checkpoint?.record.history ?? [])];
  }

  /**
   * Starts a run, or continues it from its newest sound checkpoint. The directory must be locked by the caller.
   *
   * @throws {FileError} when there are checkpoints and none of them can be trusted
   */
  static async open(request: TrainRequest, hooks: TrainHooks, planDigest: string): Promise<Session> {
    const { plan, directory, executor } = request;
    const fileSystem = hooks.fileSystem ?? disk;
    await fileSystem.makeDirectory(runPaths.checkpoints(directory));
    const { checkpoint, passedOver } = await newestCheckpoint(directory);
    if (checkpoint && checkpoint.record.planDigest !== planDigest) {
      throw new ConfigError(`${checkpoint.directory}: of another plan, expected this run's. Choose another directory.`);
    }
    const state = checkpoint ? await readModelState(checkpoint, true) : initialState(plan.stages[0]!.model, plan.seed);
    const model = new DeviceModel(executor, state, { precision: plan.precision });
    let log: RunLog | undefined;
    let session: Session | undefined;
    try {
      const done = checkpoint ? (await readMetrics(directory)).findLast(({ step }) => step <= model.step) : undefined;
      log = await RunLog.open(directory, hooks);
      session = new Session(request, hooks, planDigest, { model, seconds: done?.seconds ?? 0, checkpoint, log });
      for (const { step, path, reason } of passedOver) {
        await session.#log.event({ kind: "rollback", step, directory: path, reason });
      }
      await session.#begin();
      return session;
    } catch (error) {
      if (session) await session.close();
      else {
        model.free();
        await log?.close();
      }
      throw error;
    }
  }

  /** Trains to the end of the plan; returns the last checkpoint. */
  async finish(): Promise<Checkpoint> {
    const { plan, data } = this.#request;
    for (; this.#stage < plan.stages.length; this.#stage++) {
      const stage = plan.stages[this.#stage]!;
      if (stage.growth && this.#needsGrowth()) await this.#grow(stage);
      while (this.#model.step < this.#starts[this.#stage + 1]!) {
        await this.#stopIfAsked();
        this.#batches ??= await openBatches(data, plan, this.#tokenOffset());
        await this.#step(stage);
      }
    }
    this.#stage--;
    const last = this.#checkpoint!;
    const { step } = this.#model;
    if (!this.#wasDone) {
      await this.#log.event({ kind: "done", step, validationLoss: this.#lastValidationLoss(), digest: last.digest });
    }
    return last;
  }

  async close(): Promise<void> {
    this.#model.free();
    try {
      await this.#batches?.close();
    } finally {
      await this.#log.close();
    }
  }

  /** Writes the segment's first line, and what a kill kept from being written after the checkpoint. */
  async #begin(): Promise<void> {
    const { directory, executor } = this.#request;
    const { step } = this.#model;
    const before = await readEvents(directory);
    this.#wasDone = before.some((event) => event.kind === "done" && event.step === step);
    if (this.#wasDone) return;
    const paths = before.flatMap((event) => (event.kind === "segment" ? [event.instructionPath] : []));
    const known = new Set(before.map((event) => `${event.kind} ${event.step}`));
    await this.#log.event({ kind: "segment", step, tokenOffset: this.#tokenOffset(), instructionPath: executor.instructionPath });
    for (const event of this.#history) if (!known.has(`${event.kind} ${event.step}`)) await this.#log.event(event);
    if (this.#checkpoint && !before.some((event) => event.kind === "checkpoint" && event.digest === this.#checkpoint!.digest)) {
      await this.#recordCheckpoint(this.#checkpoint);
    }
    if (paths.length > 0 && paths.at(-1) !== executor.instructionPath) {
      this.#progress(`resumed on ${executor.instructionPath}, begun on ${paths.at(-1)}: digests of the two differ`);
    } else if (step > 0) this.#progress(`resumed at step ${step}`);
  }

  /** A growth is due unless the checkpoint was written after it. */
  #needsGrowth(): boolean {
    return !this.#history.some((event) => event.kind === "growth" && event.stage === this.#stage);
  }

  async #grow(stage: Stage): Promise<void> {
    const started = performance.now();
    const { model, event } = await growModel({
      model: this.#model,
      stage,
      index: this.#stage,
      validation: this.#validation,
      batchSize: this.#request.plan.microBatchSize,
      lossBefore: this.#lastValidationLoss(),
    });
    this.#model.free();
    this.#model = model;
    this.#seconds += (performance.now() - started) / 1000;
    this.#history.push(event);
    // The growth has happened once the rename of this checkpoint is durable; killed before, it is done again, the same.
    await this.#save(true);
    await this.#log.event(event);
  }

  #lastValidationLoss(): number {
    return this.#history.findLast((event) => event.kind === "stageEnd")!.validationLoss;
  }

  async #step(stage: Stage): Promise<void> {
    const { plan } = this.#request;
    const started = performance.now();
    const learningRate = this.#learningRate(this.#model.step);
    const { loss, gradNorm } = await this.#optimise(stage, learningRate);
    this.#seconds += (performance.now() - started) / 1000;
    this.#expectProgress(gradNorm);

    const { step, births } = this.#model;
    const { step: born, rampSteps } = births.events.at(-1)!;
    const rampEnds = rampSteps > 0 && step === born + rampSteps;
    if (rampEnds) {
      this.#model.dropGatedPrograms();
      this.#history.push({ kind: "rampEnd", step, stage: this.#stage });
      await this.#log.event(this.#history.at(-1)!);
    }
    const atEnd = step === this.#starts[this.#stage + 1];
    const due = (every: number) => atEnd || (every > 0 && step % every === 0);
    const validation = due(plan.validateEvery) ? await validate(this.#model, this.#validation, plan.microBatchSize) : undefined;
    const metric: Metric = {
      step,
      stage: this.#stage,
      tokens: this.#tokenOffset(),
      flops: this.#flops(),
      seconds: this.#seconds,
      loss,
      learningRate,
      gradNorm,
      ...(validation && { validationLoss: validation.loss, bitsPerByte: validation.bitsPerByte }),
    };
    await this.#log.metric(metric);
    this.#progress(`${plan.stages[this.#stage]!.name}: loss ${loss.toFixed(4)}`);
    if (atEnd) {
      this.#history.push({ kind: "stageEnd", step, stage: this.#stage, validationLoss: validation!.loss });
      await this.#save(false);
      await this.#log.event(this.#history.at(-1)!);
    } else if (due(plan.checkpointEvery)) await this.#save(false);
  }

  async #optimise({ model: { seqLen: T } }: Stage, learningRate: number): Promise<StepResult> {
    const { plan, data, executor } = this.#request;
    const B = plan.microBatchSize;
    const separator = documentSeparator(plan, data);
    const result = await trainStep(this.#model, {
      shape: { B, T },
      numMicroBatches: plan.gradAccumSteps,
      ...stepBatches(this.#batches!, plan, T),
      ...(separator !== undefined && { separator }),
      learningRate,
      optimizer: plan.optimizer,
      ...(plan.parameterPrecision === "bf16" && { parameterSeed: plan.seed }),
      ...(plan.memoryLimitBytes === undefined ? {} : { memoryLimitBytes: plan.memoryLimitBytes }),
    });
    if (executor.name === "reference") this.#model.roundTo(this.#model.readState());
    return result;
  }

  /** @throws {ConfigError} when the device has skipped many steps in a row */
  #expectProgress(gradNorm: number): void {
    this.#skippedSteps = Number.isFinite(gradNorm) ? 0 : this.#skippedSteps + 1;
    if (this.#skippedSteps < MAX_SKIPPED_STEPS) return;
    throw new ConfigError(
      `training: the gradient norm was not finite for ${MAX_SKIPPED_STEPS} steps up to step ${this.#model.step}, ` +
        `expected numbers. Lower peakLearningRate from ${this.#request.plan.optimizer.peakLearningRate}.`,
    );
  }

  /** @throws {CancelledError} after a checkpoint, when the caller asked to stop */
  async #stopIfAsked(): Promise<void> {
    if (!this.#hooks.signal?.aborted) return;
    const { step } = this.#model;
    if (step > (this.#checkpoint?.record.step ?? 0)) await this.#save(false);
    throw new CancelledError(
      `${this.#request.directory}: stopped at step ${step} of ${totalSteps(this.#request.plan)}. Run the same command to continue.`,
    );
  }

  /** Writes a checkpoint; metrics up to its step are durable before it. */
  async #save(grown: boolean): Promise<void> {
    const { directory, data } = this.#request;
    await this.#log.syncMetrics();
    this.#checkpoint = await writeCheckpoint(
      runPaths.checkpoint(directory, this.#model.step, grown),
      this.#model.readState(),
      {
        planDigest: this.#planDigest,
        tokenizerDigest: data.tokenizerDigest,
        stage: this.#stage,
        tokenOffset: this.#tokenOffset(),
        history: this.#history,
      },
      this.#fileSystem,
    );
    await this.#recordCheckpoint(this.#checkpoint);
    const periodic = listCheckpoints(directory).filter(({ step }) => !this.#starts.includes(step));
    for (const { path } of periodic.slice(0, -KEPT_CHECKPOINTS)) await this.#fileSystem.remove(path);
  }

  async #recordCheckpoint({ directory, digest, record: { step } }: Checkpoint): Promise<void> {
    await this.#log.event({ kind: "checkpoint", step, directory: relative(this.#request.directory, directory), digest });
  }

  #tokenOffset(): number {
    return sumOverStages(this.#request.plan, this.#starts, this.#model.step, () => 1);
  }

  #flops(): number {
    return sumOverStages(this.#request.plan, this.#starts, this.#model.step, ({ model }) => trainingFlopsPerToken(model));
  }

  #progress(detail: string): void {
    const { plan } = this.#request;
    const end = this.#starts.at(-1)!;
    const total = sumOverStages(plan, this.#starts, end, () => 1);
    (this.#hooks.progress ?? silent)({ task: `train/${plan.name}`, done: this.#tokenOffset(), total, unit: "tokens", detail });
  }
}

import { join } from "node:path";
import { acquireLock, atomicWrite } from "@espalier/core/node";
import { type ExperimentJob, findGrid, isShortPilot, type MachineProfile, pueRows, runCost } from "@espalier/cost";
import { nativeStatus } from "@espalier/kernels";
import type { AxisProbe, ReproductionReport } from "@espalier/spec/run";
import { corpusData } from "@espalier/trainer";
import { type Corpus, type CorpusManifest, listCorpusFiles, openCorpus } from "@espalier/tokenizer/node";
import { Clock } from "./clock.ts";
import { prepareInThread } from "./corpus.ts";
import type { Decisions, ExperimentFile } from "./experiment.ts";
import { embedReport } from "./html.ts";
import { type JobContext, type JobResult, runJob } from "./job.ts";
import { machineFacts } from "./machine.ts";
import { bestRate, extraPilot, nextRate, pilotsOf } from "./pilots.ts";
import { type PoolJob, runPool } from "./pool.ts";
import { plannedBytes } from "./plannedMemory.ts";
import { axisProbes } from "./probes.ts";
import { assembleReport } from "./report/assemble.ts";
import { proceduralText, type ReproduceHooks, type ReproduceRequest, reproductionPaths, SCALES } from "./request.ts";
import { machineProfile, settlePlan } from "./settlePlan.ts";

/**
 * Runs the whole experiment: build and tokenise side by side, calibrate and plan, pilots, arms and controls, evaluation
 * of every stage, costs, claims, report. Stopped or killed anywhere, the same call continues it.
 *
 * @returns the report, as written to `report.json` and `report.html`
 * @throws {LockError} when another process works in the directory
 * @throws {ConfigError} when the minutes do not suffice, or the plan is of another corpus
 * @throws what tokenising, training and growth throw
 */
export async function reproduce(request: ReproduceRequest, hooks: ReproduceHooks): Promise<ReproductionReport> {
  await listCorpusFiles(request.corpus.inputs); // a wrong path is refused before anything is written, not after minutes of compiling
  const lock = acquireLock(request.directory);
  try {
    return await new Reproduction(request, hooks, await Clock.open(request.directory)).run();
  } finally {
    lock.release();
  }
}

class Reproduction {
  readonly #request: ReproduceRequest;
  readonly #hooks: ReproduceHooks;
  readonly #clock: Clock;
  readonly #results = new Map<string, JobResult>();
  #compiler = "";
  #page = "";

  constructor(request: ReproduceRequest, hooks: ReproduceHooks, clock: Clock) {
    this.#request = request;
    this.#hooks = hooks;
    this.#clock = clock;
  }

  async run(): Promise<ReproductionReport> {
    const { directory } = this.#request;
    const { signal } = this.#hooks;
    this.#announce();
    const manifest = await this.#clock.measure("build and tokenise", () => this.#prepare());
    signal.throwIfAborted();
    const corpusDirectory = reproductionPaths.corpus(directory);
    const corpus = await openCorpus(corpusDirectory);
    const file = await settlePlan(this.#request, this.#hooks, this.#clock, corpus, manifest);
    const machine = await machineProfile(directory);
    const decisions: Decisions = { learningRates: {} };
    const context: JobContext = {
      directory,
      corpusDirectory,
      corpus,
      file,
      perSecond: { joules: machine.wattsPerCore.value, usd: machine.usdPerCoreHour.value / 3600 },
      progress: this.#hooks.progress,
      confirmed: () => decisions.confirmed,
    };

    await this.#clock.measure("pilots", () => this.#runPilots(context, decisions));
    await this.#clock.measure("arms, controls and their evaluation", () => this.#runArms(context, decisions, machine));
    const probes = await this.#clock.measure("axis probes", () => this.#probe(corpus, file));
    return await this.#clock.measure("report", () => this.#write(context, machine, probes));
  }

  #announce(): void {
    const { cores, memoryBytes, cpu } = machineFacts();
    const left = this.#request.minutes * 60 - this.#clock.elapsedSeconds;
    const finish = new Date(Date.now() + 1000 * Math.max(0, left)).toTimeString().slice(0, 5);
    this.#hooks.line(
      `${cores} cores (${cpu}), ${(memoryBytes / 1e9).toFixed(0)} GB; ${this.#request.minutes} minutes, expected to finish by ${finish}.`,
    );
  }

  async #prepare(): Promise<CorpusManifest> {
    const { scale, corpus, plan, directory } = this.#request;
    const { progress, signal, line } = this.#hooks;
    const [compiler, page, manifest] = await Promise.all([
      this.#hooks.prepareNative(progress),
      this.#hooks.page(),
      prepareInThread(
        {
          inputs: corpus.inputs,
          directory: reproductionPaths.corpus(directory),
          vocabSize: plan?.vocabSize ?? SCALES[scale].vocabSize,
          procedural: proceduralText(this.#request),
        },
        progress,
        signal,
      ),
    ]);
    this.#compiler = compiler;
    this.#page = page;
    const { documents, train, tokenizer } = manifest;
    line(
      `Corpus: ${corpus.name}, ${(train.textBytes / 1e6).toFixed(1)} MB in ${documents.train} training documents, ` +
        `${(train.numTokens / 1e6).toFixed(2)} M tokens of ${tokenizer.vocabSize}, digest ${manifest.textDigest.slice(0, 12)}.`,
    );
    return manifest;
  }

  /** Runs jobs on the plan's threads; `next` names what a finished one leads to, `after` is waited for. */
  async #runAll(
    jobs: readonly (ExperimentJob & { needs?: readonly string[] })[],
    context: JobContext,
    decisions: Decisions,
    hooks: { next?: (job: ExperimentJob) => ExperimentJob[]; after?: () => Promise<void> },
  ): Promise<void> {
    const poolJob = (job: ExperimentJob & { needs?: readonly string[] }): PoolJob => ({
      id: job.id,
      needs: job.needs ?? [],
      run: async (signal) => {
        this.#results.set(job.id, await runJob(job, decisions, context, signal));
        await hooks.after?.();
        return hooks.next?.(job).map(poolJob) ?? [];
      },
    });
    await runPool(jobs.map(poolJob), context.file.plan.threads, this.#hooks.signal);
  }

  /**
   * Pilots of every group, more where the best rate lies at an end of the grid, and the control's runs in full as soon as
   * its group has decided: groups do not wait for each other.
   */
  async #runPilots(context: JobContext, decisions: Decisions): Promise<void> {
    const { jobs } = context.file.plan;
    const confirmations = jobs.filter((job) => job.arm === "pilot" && !isShortPilot(job));
    const groups = (["target", "grown", "rival"] as const).map((name) => ({ name, jobs: pilotsOf(jobs, name), planned: pilotsOf(jobs, name).length }));
    const resultsOf = (group: (typeof groups)[number]) =>
      group.jobs.map((job) => ({ learningRate: this.#results.get(job.id)!.arm.learningRate, finalLoss: this.#results.get(job.id)!.arm.finalLoss }));
    /** What a finished pilot leads to. */
    const next = ({ id }: ExperimentJob): ExperimentJob[] => {
      const group = groups.find((candidate) => candidate.jobs.some((job) => job.id === id));
      if (!group?.jobs.every((job) => this.#results.has(job.id))) return [];
      const rate = nextRate(resultsOf(group), group.planned);
      if (rate !== undefined) {
        const job = extraPilot(group.jobs[0]!, rate);
        group.jobs.push(job);
        return [job];
      }
      decisions.learningRates[group.name] = bestRate(resultsOf(group));
      if (group.name !== "target") return [];
      decisions.pilotRate = decisions.learningRates.target!;
      return confirmations;
    };
    await this.#runAll(groups.flatMap((group) => group.jobs), context, decisions, { next });
    const confirmed = confirmations.map((job) => this.#results.get(job.id)!.arm).reduce((a, b) => (b.finalLoss < a.finalLoss ? b : a));
    decisions.confirmed = confirmed.id;
    decisions.learningRates.target = confirmed.learningRate;
    const { target, grown, rival } = decisions.learningRates;
    this.#hooks.line(
      `Learning rates: ${target} for the control and one hop (pilots, then two runs in full), ${grown} for the three-stage run, ${rival} for fixed shapes (pilots).`,
    );
  }

  /** Everything but pilots; the page is written anew after each run, so that it can be followed. */
  async #runArms(context: JobContext, decisions: Decisions, machine: MachineProfile): Promise<void> {
    const { plan } = context.file;
    const start = new Map(plan.schedule.jobs.map(({ id, start: at }) => [id, at]));
    const jobs = plan.jobs.filter((job) => job.arm !== "pilot").toSorted((a, b) => (start.get(a.id) ?? 0) - (start.get(b.id) ?? 0));
    const sweep = jobs.filter((job) => job.arm === "best fixed shape" && job.shape === "own");
    const pilots = new Set(plan.jobs.filter((job) => job.arm === "pilot").map((job) => job.id));
    await this.#runAll(
      jobs.map((job) => ({ ...job, needs: job.dependsOn.filter((id) => !pilots.has(id)) })),
      context,
      decisions,
      {
        after: async () => {
          if (sweep.every((job) => this.#results.has(job.id))) {
            const best = sweep.map((job) => this.#results.get(job.id)!.arm).reduce((a, b) => (b.finalLoss < a.finalLoss ? b : a));
            decisions.bestFixed = { model: best.stages[0]!.model, tokens: best.tokens };
          }
          await this.#write(context, machine, []);
        },
      },
    );
  }

  async #probe(corpus: Corpus, file: ExperimentFile): Promise<AxisProbe[]> {
    const grown = file.plan.jobs.find((job) => job.arm === "growth three stages")!;
    const first = this.#results.get(grown.id)!.checkpoints[0]!;
    return await axisProbes(first, corpusData(corpus, file.procedural.share));
  }

  /** Writes `report.json` and `report.html` from what is finished. */
  async #write(context: JobContext, machine: MachineProfile, probes: readonly AxisProbe[]): Promise<ReproductionReport> {
    const { directory, minutes } = this.#request;
    const { file, corpus } = context;
    const { train, validation, documents, textDigest, tokenizer } = corpus.manifest;
    // The confirmation that became the control's first seed is shown, and paid for, once.
    const reused = file.plan.jobs.some((job) => job.reuses && this.#results.has(job.id)) ? context.confirmed() : undefined;
    const results = [...this.#results.values()].filter(({ arm }) => arm.id !== reused);
    const facts = machineFacts();
    const cost = runCost({
      work: results.map(({ arm }) => ({ name: arm.id, seconds: arm.seconds })),
      machine,
      grid: findGrid("WORLD")!,
      pue: pueRows.find((row) => row.id === "unknown") ?? pueRows[0]!,
    });
    const report = assembleReport({
      scale: file.scale,
      seed: file.seed,
      minutesAsked: minutes,
      minutesTaken: this.#clock.elapsedSeconds / 60,
      numSeeds: file.plan.seeds.length,
      traces: results.map(({ trace }) => trace),
      arms: results.map(({ arm }) => arm),
      axisProbes: probes,
      machine: { ...facts, instructionPath: nativeStatus().instructionPaths[0] ?? "reference", compiler: this.#compiler },
      corpus: {
        name: this.#request.corpus.name,
        digest: textDigest,
        bytes: train.textBytes + validation.textBytes,
        documents: documents.train + documents.validation,
        trainTokens: train.numTokens,
        validationTokens: validation.numTokens,
        vocabSize: tokenizer.vocabSize,
        bytesPerToken: train.textBytes / train.numTokens,
        proceduralShare: file.procedural.share,
        leftOut: file.procedural.leftOut,
      },
      plan: {
        parts: file.plan.parts.map(({ name, seconds }) => ({ name, predictedSeconds: seconds, measuredSeconds: this.#measured(name) })),
        dropped: [...file.plan.dropped, ...file.plan.notes],
      },
      memory: {
        predictedPeakBytes: Math.max(...file.plan.jobs.map((job) => plannedBytes(job.stages.map(({ model }) => model), file.plan.microBatchSize, corpus))) + file.engineBytes,
        measuredPeakBytes: Math.max(0, ...results.map(({ peakBytes }) => peakBytes)),
      },
      cost: {
        kwh: cost.total.kwh,
        usd: cost.total.usd,
        kgCo2e: cost.total.kgCo2e,
        assumptions: cost.factors.map(({ name, value, unit, formula, source, assumed }) => `${name}: ${value.toPrecision(3)} ${unit} (${formula}); ${assumed ? "assumed: " : ""}${source}`),
      },
    });
    await atomicWrite(join(directory, "report.json"), `${JSON.stringify(report, null, 1)}\n`);
    await atomicWrite(join(directory, "report.html"), embedReport(this.#page, report));
    return report;
  }

  /** Wall seconds of a planned part. Build, tokenising and calibration were planned as one. */
  #measured(name: string): number | null {
    if (name.startsWith("build")) return this.#clock.seconds("build and tokenise") + this.#clock.seconds("calibration");
    return this.#clock.seconds(name) || null; // the report's own time is not known while it is written
  }
}

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Progress } from "@espalier/core";
import { atomicWrite, disk } from "@espalier/core/node";
import type { ExperimentJob, ExperimentPlan } from "@espalier/cost";
import { evaluate } from "@espalier/evals";
import { cpuExecutor } from "@espalier/kernels";
import { numParameters } from "@espalier/spec/model";
import type { ArmStage, ReportArm } from "@espalier/spec/run";
import { corpusData, loadLanguageModel, planDigest, readEvents, readMetrics, trainInProcess, type TrainResult, validateCheckpoint } from "@espalier/trainer";
import type { Corpus } from "@espalier/tokenizer/node";
import type { TrainingTrace } from "./claims/trained.ts";
import { type Decisions, type ExperimentFile, trainPlanOf } from "./experiment.ts";
import { iqScores } from "./iq.ts";
import { type MemoryWatch, watchMemory } from "./memory.ts";
import { growthProof } from "./proof.ts";

/** A finished job: what the report shows of it, and what later jobs and probes need. */
export interface JobResult {
  arm: ReportArm;
  trace: TrainingTrace;
  /** Checkpoint at the end of each stage. */
  checkpoints: readonly string[];
  /** Highest resident memory of its process; 0 where it could not be read. */
  peakBytes: number;
}

export interface JobContext {
  directory: string;
  corpusDirectory: string;
  corpus: Corpus;
  file: ExperimentFile;
  /** Energy and price of a second of one thread. */
  perSecond: { joules: number; usd: number };
  progress: Progress;
  /** Id of the full-length pilot that became the control's first seed, once that is decided. */
  confirmed(): string | undefined;
}

const jobDirectory = (directory: string, id: string): string => join(directory, "runs", ...id.split("/"));

/** The rate that the pilots chose is what the confirmations multiply, also once a confirmation has replaced it. */
function planOf(job: ExperimentJob, file: ExperimentFile, decisions: Decisions) {
  const { pilotRate } = decisions;
  if (job.arm !== "pilot" || pilotRate === undefined) return trainPlanOf(job, file.plan, decisions);
  return trainPlanOf(job, file.plan, { ...decisions, learningRates: { ...decisions.learningRates, target: pilotRate } });
}

/**
 * Trains one job in a process of its own, evaluates each of its stages, and remembers the result beside the run, so that
 * a restart neither trains nor evaluates it again.
 */
export async function runJob(job: ExperimentJob, decisions: Decisions, context: JobContext, signal: AbortSignal): Promise<JobResult> {
  const { file, corpus, corpusDirectory, progress } = context;
  // A reused run is trained, and its plan named, as what it was first.
  const trainedAs = job.reuses ? file.plan.jobs.find(({ id }) => id === decisions.confirmed)! : job;
  const directory = jobDirectory(context.directory, trainedAs.id);
  const plan = planOf(trainedAs, file, decisions);
  const saved = join(jobDirectory(context.directory, job.id), "result.json");
  const key = planDigest(plan);
  if (existsSync(saved)) {
    const { planDigest: digest, result } = JSON.parse(await readFile(saved, "utf8")) as { planDigest: string; result: JobResult };
    if (digest === key) return result;
  }

  let memory: MemoryWatch | undefined;
  const trained = await trainInProcess(
    { plan, corpus: corpusDirectory, generatedShare: file.procedural.share, directory },
    { progress, signal, onStart: (pid) => void (memory = watchMemory(pid)) },
  );
  const peakBytes = memory?.stop() ?? 0;
  signal.throwIfAborted();

  const stages = await examine(job, plan.stages, trained, context, signal);
  const metrics = await readMetrics(directory);
  const events = await readEvents(directory);
  const at = (step: number) => metrics.find((metric) => metric.step === step);
  const last = stages.at(-1)!;
  const result: JobResult = {
    arm: {
      id: job.id,
      role: job.arm,
      title: job.shape === "own" ? job.title : titleOf(job.title, plan.stages[0]!.model),
      seed: job.seed,
      learningRate: plan.optimizer.peakLearningRate,
      curve: metrics.flatMap(({ tokens, flops, seconds, validationLoss }) => (validationLoss === undefined ? [] : [{ tokens, flops, seconds, loss: validationLoss }])),
      growths: events.flatMap((event) => {
        if (event.kind !== "growth") return [];
        const { tokens, flops, seconds } = at(event.step)!;
        const { step, operators, lossBefore, lossAfter, logitChange, from, to } = event;
        const proof = growthProof(from, to, plan.stages[event.stage]!.growth!);
        return [{ tokens, flops, seconds, step, operators, lossBefore, lossAfter, logitChange, proof }];
      }),
      stages,
      finalLoss: last.validationLoss,
      bitsPerByte: last.bitsPerByte,
      tokens: trained.tokens,
      flops: trained.flops,
      seconds: trained.seconds,
      predictedSeconds: trainedAs.trainingSeconds,
      joules: trained.seconds * context.perSecond.joules,
      usd: trained.seconds * context.perSecond.usd,
      checkpointDigest: trained.digest,
    },
    trace: { armId: job.id, points: metrics.map(({ step, tokens, loss }) => ({ step, tokens, loss })) },
    checkpoints: trained.stages.map(({ checkpoint }) => checkpoint),
    peakBytes,
  };
  await disk.makeDirectory(dirname(saved));
  await atomicWrite(saved, JSON.stringify({ planDigest: key, result }));
  return result;

  function titleOf(title: string, { numLayers, residualDim }: { numLayers: number; residualDim: number }): string {
    return title.replace("best shape of the sweep", `L${numLayers} C${residualDim}, best of the sweep`);
  }

  /** Validation over many windows and IQ tests of every stage; pilots only get the former. */
  async function examine(
    { arm }: ExperimentJob,
    planned: ExperimentPlan["jobs"][number]["stages"],
    { stages: ends }: TrainResult,
    _context: JobContext,
    stop: AbortSignal,
  ): Promise<ArmStage[]> {
    const executor = cpuExecutor({ numThreads: 1 });
    const data = corpusData(corpus, file.procedural.share);
    const examined: ArmStage[] = [];
    for (const [i, end] of ends.entries()) {
      const { model, name } = planned[i]!;
      const before = ends[i - 1];
      const { loss, bitsPerByte } = await validateCheckpoint(end.checkpoint, { data, executor, maxSequences: file.plan.validation.finalSequences, plan });
      let iq: ArmStage["iq"] = [];
      if (arm !== "pilot") {
        const loaded = await loadLanguageModel({ model: end.checkpoint, tokenizer: corpus.tokenizer, executor });
        const { items, seed, difficulty } = file.evaluation;
        iq = iqScores(await evaluate(loaded, { items, seed, difficulty, signal: stop }), file.procedural.leftOut);
        loaded.free();
      }
      examined.push({
        name,
        model,
        numParameters: numParameters(model),
        tokens: end.tokens - (before?.tokens ?? 0),
        flops: end.flops - (before?.flops ?? 0),
        validationLoss: loss,
        bitsPerByte,
        iq,
      });
    }
    return examined;
  }
}

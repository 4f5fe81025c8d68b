/** Results and samples in the files of lm-evaluation-harness, for whatever reads those. */

import { sha256Text } from "../digest.ts";
import { floatRepr } from "../python/json.ts";
import { fileDate, type RunAbout, safeName } from "./about.ts";
import { floatText } from "./floatText.ts";
import { type AnyEvaluation, type ReportedSample, type ReportedTask, reportedTasks } from "./reported.ts";

/** Paths of the files, relative to an output directory. */
export function harnessPaths(model: string, date: Date): { results: string; samples: (task: string) => string } {
  const folder = safeName(model);
  return {
    results: `${folder}/results_${fileDate(date)}.json`,
    samples: (task) => `${folder}/samples_${safeName(task)}_${fileDate(date)}.jsonl`,
  };
}

/**
 * `results_*.json`: metric keys are `metric,filter`, standard errors `metric_stderr,filter`. Its `make_table` prints it.
 *
 * @see lm-evaluation-harness, `lm_eval/evaluator.py` and `lm_eval/utils.py` of August 2026
 */
export async function harnessResults(evaluation: AnyEvaluation, about: RunAbout): Promise<Record<string, unknown>> {
  const tasks = await reportedTasks(evaluation);
  const groups = "groups" in evaluation ? evaluation.groups : [];
  const byTask = <T>(value: (task: ReportedTask) => T): Record<string, T> => Object.fromEntries(tasks.map((task) => [task.task, value(task)]));
  const shots = byTask((task) => task.shots);
  const directions = byTask(({ metrics }) => Object.fromEntries(metrics.map(({ metric, higherIsBetter }) => [metric, higherIsBetter])));
  const hashes = await Promise.all(tasks.map(async ({ task, samples }) => [task, await sha256Text(samples.map(({ hashes: { docHash, promptHash, targetHash } }) => docHash + promptHash + targetHash).join(""))] as const));
  const groupRows = Object.fromEntries(
    groups.map(({ group, alias = group, documents, scores }) => [
      group,
      { name: group, alias, sample_len: documents, ...scoreFields(scores) },
    ]),
  );
  const data = tasks.flatMap(({ task, files }) => (files ? [[task, files.map(({ path, sha256, statedBy }) => ({ path, sha256, stated_by: statedBy }))] as const] : []));
  return {
    results: { ...byTask(({ task, title, documents, metrics }) => ({ name: task, alias: "groups" in evaluation ? title : task, sample_len: documents, ...scoreFields(metrics) })), ...groupRows },
    ...(groups.length > 0 ? { groups: groupRows } : {}),
    group_subtasks: Object.fromEntries(groups.map(({ group, tasks: below }) => [group, below] as const)),
    configs: byTask(({ task, version, shots, outputType, metrics }) => ({
      task,
      output_type: outputType,
      num_fewshot: shots,
      metric_list: [...new Map(metrics.map(({ metric, higherIsBetter }) => [metric, { metric, higher_is_better: higherIsBetter }])).values()],
      metadata: { version },
    })),
    versions: byTask(({ version }) => version),
    "n-shot": { ...shots, ...Object.fromEntries(groups.flatMap(({ group, tasks: below }) => (below.length > 0 && new Set(below.map((task) => shots[task])).size === 1 ? [[group, shots[below[0]!]!]] : []))) },
    higher_is_better: { ...directions, ...Object.fromEntries(groups.map(({ group, tasks: below }) => [group, sharedDirections(below.map((task) => directions[task] ?? {}))])) },
    "n-samples": byTask(({ documents }) => ({ original: documents, effective: documents })),
    config: {
      model: about.modelSource ?? "espalier",
      model_args: about.modelArgs ?? "",
      batch_size: null,
      batch_sizes: [],
      device: null,
      use_cache: null,
      limit: about.limit ?? null,
      bootstrap_iters: about.bootstrapIterations ?? 100_000,
      gen_kwargs: null,
      random_seed: 0,
      numpy_seed: 1234,
      torch_seed: 1234,
      fewshot_seed: about.fewshotSeed ?? 1234,
    },
    git_hash: about.gitHash ?? null,
    date: about.date.getTime() / 1000 - about.seconds, // when it began
    max_length: about.maxLen ?? null,
    tokenizer: about.tokenizer ?? null,
    task_hashes: Object.fromEntries(hashes),
    model_source: about.modelSource ?? "espalier",
    model_name: evaluation.model,
    model_name_sanitized: safeName(evaluation.model),
    system_instruction: null,
    system_instruction_sha: null,
    fewshot_as_multiturn: null,
    chat_template: null,
    chat_template_sha: null,
    total_evaluation_time_seconds: String(about.seconds),
    // Of this project, for what the harness has no place: it ends on a lost continuation, does not count cut contexts, and
    // does not say which bytes it read.
    espalier: {
      boundary_errors: byTask(({ boundaryErrors }) => boundaryErrors),
      truncated: byTask(({ truncated }) => truncated),
      ...(data.length > 0 && { data: Object.fromEntries(data) }),
    },
  };
}

/** A group's: null where its tasks disagree. */
function sharedDirections(tasks: readonly Record<string, boolean>[]): Record<string, boolean | null> {
  const shared: Record<string, boolean | null> = {};
  for (const [metric, higher] of tasks.flatMap((task) => Object.entries(task))) shared[metric] = metric in shared && shared[metric] !== higher ? null : higher;
  return shared;
}

/** JSON has no NaN: what is no number is said as the harness says it of standard errors. */
const orNone = (value: number | null): number | "N/A" => (value !== null && Number.isFinite(value) ? value : "N/A");

function scoreFields(scores: readonly { metric: string; filter: string; value: number; standardError: number | null }[]): Record<string, number | "N/A"> {
  return Object.fromEntries(
    scores.flatMap(({ metric, filter, value, standardError }) => [
      [`${metric},${filter}`, orNone(value)],
      [`${metric}_stderr,${filter}`, orNone(standardError)],
    ]),
  );
}

/** Lines of `samples_*.jsonl` by task, one a document and filter; numbers of responses are text, as there. */
export async function harnessSamples(evaluation: AnyEvaluation, about: Pick<RunAbout, "generation">): Promise<Map<string, Iterable<string>>> {
  const tasks = await reportedTasks(evaluation);
  return new Map(tasks.map((task) => [task.task, linesOf(task, about)]));
}

function* linesOf(task: ReportedTask, about: Pick<RunAbout, "generation">): Generator<string> {
  for (const sample of task.samples) for (const filter of task.filters) yield JSON.stringify(harnessSample(task, sample, filter, about));
}

const pythonBool = (value: boolean | null): string => (value === null ? "None" : value ? "True" : "False");

function harnessSample({ outputType }: ReportedTask, sample: ReportedSample, filter: string, { generation }: Pick<RunAbout, "generation">): Record<string, unknown> {
  const { docId, doc, target, requests, loglikelihoods, generated, generations = [generated ?? ""], filtered, scores, boundaryError, numTruncated, hashes } = sample;
  const answered = loglikelihoods?.map(({ logprob, isGreedy }) => [logprob === null ? "nan" : floatRepr(logprob), pythonBool(isGreedy)]);
  const { until = ["\n\n"], maxTokens = 256 } = sample.generation ?? generation ?? {};
  const temperature = sample.generation?.temperature ?? 0;
  const kwargs = { until, max_gen_toks: maxTokens, do_sample: temperature > 0, temperature };
  const ofFilter = Object.entries(scores).flatMap(([key, value]) => (key.endsWith(`,${filter}`) ? [[key.slice(0, -filter.length - 1), value] as const] : []));
  return {
    doc_id: docId,
    doc,
    target,
    arguments: Object.fromEntries(requests.map(([context, continuation], i) => [`gen_args_${i}`, { arg_0: context, arg_1: outputType === "generate_until" ? kwargs : continuation }])),
    resps: answered ? answered.map((answer) => [answer]) : [generations],
    filtered_resps: answered ?? [filtered[filter] ?? generated ?? ""],
    filter,
    metrics: ofFilter.map(([metric]) => metric),
    doc_hash: hashes.docHash,
    prompt_hash: hashes.promptHash,
    target_hash: hashes.targetHash,
    boundary_error: boundaryError,
    truncated_tokens: numTruncated,
    ...Object.fromEntries(ofFilter.map(([metric, value]) => [metric, typeof value === "number" ? floatText(value) : value.map(floatText)])),
  };
}

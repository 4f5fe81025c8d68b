/** Results in Inspect's log form (version 2, JSON), which its viewer opens. One log a task. */

import { sha256Text } from "../digest.ts";
import { fileDate, type RunAbout, safeName } from "./about.ts";
import { floatText } from "./floatText.ts";
import { type AnyEvaluation, type ReportedSample, type ReportedTask, reportedTasks } from "./reported.ts";

/** `2026-11-25T04-17-22+00-00_task_id.json`, as Inspect names its logs. */
export function inspectPath(task: string, id: string, date: Date): string {
  return `${fileDate(date).slice(0, 19)}+00-00_${safeName(task).replaceAll("_", "-")}_${id}.json`;
}

/**
 * One log a task with its id. Values of samples are `C` and `I` for right and wrong, else numbers.
 *
 * @see Inspect, `inspect_ai/log/_log.py`: `EvalLog`, and `_view/inspect-openapi.json`, which says what its viewer expects to be there
 */
export async function inspectLogs(evaluation: AnyEvaluation, about: RunAbout): Promise<{ task: string; id: string; log: Record<string, unknown> }[]> {
  const tasks = await reportedTasks(evaluation);
  const created = about.date.toISOString().replace("Z", "+00:00");
  const started = new Date(about.date.getTime() - 1000 * about.seconds).toISOString().replace("Z", "+00:00");
  const run = await idOf(evaluation.model, created);
  return Promise.all(
    tasks.map(async (task) => {
      const id = await idOf(run, task.task);
      const metadata = { tokenizer: about.tokenizer ?? null, max_length: about.maxLen ?? null, ...(task.files && { data: task.files.map(({ path, sha256: digest }) => ({ path, sha256: digest })) }) };
      const samples = task.samples.map((sample) => inspectSample(task, sample, evaluation.model));
      const log = {
        version: 2,
        status: "success",
        eval: {
          eval_id: id,
          run_id: run,
          created,
          task: task.task,
          task_id: id,
          task_version: Number.isInteger(task.version) ? task.version : String(task.version), // int or text
          task_attribs: {},
          task_args: { num_fewshot: task.shots },
          task_args_passed: {},
          dataset: { name: task.task, samples: task.documents, sample_ids: task.samples.map(({ docId }) => docId), shuffled: false },
          model: evaluation.model,
          model_args: about.modelArgs === undefined ? {} : { source: about.modelArgs },
          model_generate_config: {},
          config: { limit: about.limit ?? null, epochs: 1 },
          packages: {},
          metadata,
        },
        plan: { name: "plan", steps: [{ solver: task.outputType === "generate_until" ? "generate" : "loglikelihood", params: {}, params_passed: {} }], config: {} },
        results: {
          total_samples: task.documents,
          completed_samples: task.samples.length,
          scores: task.metrics.map(({ metric, filter, value, standardError }) => ({
            name: nameOf(metric, filter),
            scorer: nameOf(metric, filter),
            scored_samples: task.samples.filter(({ scores }) => `${metric},${filter}` in scores).length,
            unscored_samples: task.samples.filter(({ scores }) => !(`${metric},${filter}` in scores)).length,
            params: {},
            // Its numbers are never null, and JSON has no NaN.
            metrics: Object.fromEntries(
              Object.entries({ [metric]: value, stderr: standardError }).flatMap(([name, number]) => (number !== null && Number.isFinite(number) ? [[name, { name, value: number, params: {} }]] : [])),
            ),
          })),
          metadata: { boundary_errors: task.boundaryErrors, truncated: task.truncated },
        },
        stats: { started_at: started, completed_at: created, model_usage: {}, role_usage: {}, connection_limit_history: [] },
        invalidated: false,
        tags: [],
        metadata, // again: the tool derives it from `eval`
        samples,
        reductions: task.metrics.map(({ metric, filter }) => reduction(nameOf(metric, filter), samples)),
      };
      return { task: task.task, id, log };
    }),
  );
}

const LOST = "A choice has no token of its own behind the context, or does not fit into the model: counted as wrong.";

const idOf = async (...parts: string[]): Promise<string> => (await sha256Text(parts.join("\n"))).slice(0, 22);

const nameOf = (metric: string, filter: string): string => (filter === "none" ? metric : `${metric} (${filter})`);

interface InspectScore {
  value: string | number;
  answer: string;
  explanation?: string;
  history: [];
}

interface InspectSample {
  id: number;
  scores: Record<string, InspectScore>;
  [field: string]: unknown;
}

/** Scores over the epochs of each sample. There is one epoch: their mean is the score, as a number. */
function reduction(name: string, samples: readonly InspectSample[]): Record<string, unknown> {
  const scored = samples.flatMap(({ id, scores }) => (name in scores ? [{ ...scores[name]!, sample_id: id }] : []));
  return { scorer: name, samples: scored.map((score) => ({ ...score, value: score.value === "C" ? 1 : score.value === "I" ? 0 : score.value })) };
}

function inspectSample({ outputType }: ReportedTask, sample: ReportedSample, model: string): InspectSample {
  const { docId, key, target, requests, loglikelihoods, generated, scores, boundaryError, numTruncated } = sample;
  const input = requests[0]?.[0] ?? "";
  const choices = outputType === "multiple_choice" ? requests.map(([, continuation]) => continuation.trim()) : undefined;
  const answer = generated ?? (choices && choices[best(loglikelihoods ?? [])]) ?? "";
  const message = { role: "assistant", content: answer, source: "generate" };
  return {
    id: docId,
    epoch: 1,
    input,
    ...(choices ? { choices } : {}),
    target,
    messages: [{ role: "user", content: input, source: "input" }, message],
    output: { model, choices: [{ message, stop_reason: "stop" }], completion: answer },
    scores: Object.fromEntries(
      Object.entries(scores).flatMap(([scoreKey, value]) => {
        if (typeof value !== "number" || !Number.isFinite(value)) return [];
        const comma = scoreKey.lastIndexOf(",");
        const right = /^(acc|exact)/.test(scoreKey) && (value === 0 || value === 1);
        return [[nameOf(scoreKey.slice(0, comma), scoreKey.slice(comma + 1)), { value: right ? (value === 1 ? "C" : "I") : value, answer, ...(boundaryError && { explanation: LOST }), history: [] }]];
      }),
    ),
    metadata: { key, boundary_error: boundaryError, truncated_tokens: numTruncated, ...(loglikelihoods ? { logprobs: loglikelihoods.map(({ logprob }) => floatText(logprob)) } : {}) },
    store: {},
    events: [],
    model_usage: {},
    role_usage: {},
    attachments: {},
  };
}

/** Index of the first largest; a lost continuation is never it. */
function best(loglikelihoods: readonly { logprob: number | null }[]): number {
  return loglikelihoods.reduce((top, { logprob }, i) => ((logprob ?? -Infinity) > (loglikelihoods[top]!.logprob ?? -Infinity) ? i : top), 0);
}

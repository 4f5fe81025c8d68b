/**
 * The files of other tools, field by field, written from their sources: lm-evaluation-harness of August 2026
 * (`evaluator.py`, `evaluator_utils.py`, `loggers/evaluation_tracker.py`, `utils.py`: `make_table`) and Inspect's
 * `inspect_ai/log/_log.py`, `_view/inspect-openapi.json` (which fields a log must have), `model/_model_output.py`, `model/_chat_message.py` and `scorer/_metric.py` of the same month.
 * Every object is strict: a name that the tool does not have fails, unless this project adds it on purpose.
 */

import { z } from "zod";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();

// lm-evaluation-harness

const metricKey = z.string().regex(/^[a-z0-9_]+,[a-z0-9-]+$/);
/** Anything else would not print: `make_table` formats floats and prints text. */
const cell = z.union([z.number(), z.literal("N/A")]);
const row = z.object({ name: z.string(), alias: z.string(), sample_len: count }).catchall(cell).check(({ value, issues }) => {
  for (const key of Object.keys(value)) {
    if (["name", "alias", "sample_len"].includes(key)) continue;
    if (!metricKey.safeParse(key).success) issues.push({ code: "custom", input: key, message: `${key} is no metric,filter` });
    const [metric, filter] = key.split(",");
    if (!metric!.endsWith("_stderr") && !(`${metric}_stderr,${filter}` in value)) issues.push({ code: "custom", input: key, message: `${key} has no standard error` });
  }
});

export const harnessResultsSchema = z.strictObject({
  results: z.record(z.string(), row),
  groups: z.record(z.string(), row).optional(),
  group_subtasks: z.record(z.string(), z.array(z.string())),
  configs: z.record(
    z.string(),
    z.strictObject({
      task: z.string(),
      output_type: z.enum(["multiple_choice", "loglikelihood", "loglikelihood_rolling", "generate_until"]),
      num_fewshot: count,
      metric_list: z.array(z.strictObject({ metric: z.string(), higher_is_better: z.boolean() })).min(1),
      metadata: z.strictObject({ version: z.number() }),
    }),
  ),
  versions: z.record(z.string(), z.number()),
  "n-shot": z.record(z.string(), count),
  higher_is_better: z.record(z.string(), z.record(z.string(), z.boolean().nullable())),
  "n-samples": z.record(z.string(), z.strictObject({ original: count, effective: count })),
  config: z.strictObject({
    model: z.string(),
    model_args: z.string(),
    batch_size: z.null(),
    batch_sizes: z.array(z.number()),
    device: z.null(),
    use_cache: z.null(),
    limit: z.number().nullable(),
    bootstrap_iters: count,
    gen_kwargs: z.null(),
    random_seed: count,
    numpy_seed: count,
    torch_seed: count,
    fewshot_seed: count,
  }),
  git_hash: z.string().nullable(),
  date: z.number(),
  max_length: count.nullable(),
  tokenizer: z.string().nullable(),
  task_hashes: z.record(z.string(), sha256),
  model_source: z.string(),
  model_name: z.string(),
  model_name_sanitized: z.string().regex(/^[^"<>:/|\\?*[\]]*$/),
  system_instruction: z.null(),
  system_instruction_sha: z.null(),
  fewshot_as_multiturn: z.null(),
  chat_template: z.null(),
  chat_template_sha: z.null(),
  total_evaluation_time_seconds: z.string(),
  espalier: z.strictObject({ boundary_errors: z.record(z.string(), count), truncated: z.record(z.string(), count), data: z.record(z.string(), z.array(z.strictObject({ path: z.string(), sha256, stated_by: z.enum(["manifest", "espalier", "nothing"]) }))).optional() }),
});

const generationArguments = z.strictObject({ until: z.array(z.string()), max_gen_toks: count, do_sample: z.boolean(), temperature: z.number() });
const likelihoodAnswer = z.tuple([z.string().regex(/^(nan|-?inf|-?\d+(\.\d+)?(e[+-]\d+)?)$/), z.enum(["True", "False", "None"])]);
const number = z.union([z.number(), z.enum(["nan", "inf", "-inf"])]);
const docScore = z.union([number, z.array(number)]);

/** A line of `samples_*.jsonl`. */
export const harnessSampleSchema = z
  .object({
    doc_id: count,
    doc: z.record(z.string(), z.unknown()),
    target: z.string(),
    arguments: z.record(z.string().regex(/^gen_args_\d+$/), z.strictObject({ arg_0: z.string(), arg_1: z.union([z.string(), generationArguments]) })),
    resps: z.union([z.array(z.tuple([likelihoodAnswer])), z.tuple([z.array(z.string()).min(1)])]),
    filtered_resps: z.union([z.array(likelihoodAnswer), z.tuple([z.string()])]),
    filter: z.string(),
    metrics: z.array(z.string()),
    doc_hash: sha256,
    prompt_hash: sha256,
    target_hash: sha256,
    boundary_error: z.boolean(),
    truncated_tokens: count,
  })
  .catchall(docScore)
  .check(({ value, issues }) => {
    const known = new Set(["doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash", "prompt_hash", "target_hash", "boundary_error", "truncated_tokens"]);
    const extra = Object.keys(value).filter((key) => !known.has(key));
    if (JSON.stringify(extra.sort()) !== JSON.stringify([...value.metrics].sort())) issues.push({ code: "custom", input: extra, message: `scores ${extra.join()} are not the metrics ${value.metrics.join()}` });
  });

// Inspect

const datetime = z.iso.datetime({ offset: true });
const params = z.record(z.string(), z.json());
const metric = z.strictObject({ name: z.string(), value: z.number(), params, metadata: params.optional(), group: z.string().optional() });
const userMessage = z.strictObject({ role: z.literal("user"), content: z.string(), source: z.enum(["input", "generate", "operator"]) });
const assistantMessage = z.strictObject({ role: z.literal("assistant"), content: z.string(), source: z.enum(["input", "generate", "operator"]) });

const score = z.strictObject({ value: z.union([z.string(), z.number(), z.boolean()]), answer: z.string().optional(), explanation: z.string().optional(), metadata: params.optional(), history: z.array(z.never()) });

const inspectSample = z.strictObject({
  id: z.union([count, z.string()]),
  epoch: z.int().positive(),
  input: z.string(),
  choices: z.array(z.string()).optional(),
  target: z.string(),
  messages: z.tuple([userMessage, assistantMessage]),
  output: z.strictObject({ model: z.string(), choices: z.array(z.strictObject({ message: assistantMessage, stop_reason: z.enum(["stop", "max_tokens", "model_length", "tool_calls", "content_filter", "unknown"]) })), completion: z.string() }),
  scores: z.record(z.string(), score),
  metadata: params,
  store: params,
  events: z.array(z.never()),
  model_usage: z.strictObject({}),
  role_usage: z.strictObject({}),
  attachments: z.strictObject({}),
});

export const inspectLogSchema = z.strictObject({
  version: z.literal(2),
  status: z.enum(["started", "success", "cancelled", "error"]),
  eval: z.strictObject({
    eval_id: z.string().min(1),
    run_id: z.string().min(1),
    created: datetime,
    task: z.string(),
    task_id: z.string().min(1),
    task_version: z.union([z.int(), z.string()]),
    task_attribs: params,
    task_args: params,
    task_args_passed: params,
    dataset: z.strictObject({ name: z.string(), samples: count, sample_ids: z.array(count), shuffled: z.boolean() }),
    model: z.string(),
    model_args: params,
    model_generate_config: params,
    config: z.strictObject({ limit: z.union([count, z.tuple([count, count])]).nullable(), epochs: z.int() }),
    packages: z.record(z.string(), z.string()),
    metadata: params,
  }),
  plan: z.strictObject({ name: z.string(), steps: z.array(z.strictObject({ solver: z.string(), params, params_passed: params })), config: params }),
  results: z.strictObject({
    total_samples: count,
    completed_samples: count,
    scores: z.array(z.strictObject({ name: z.string(), scorer: z.string(), scored_samples: count, unscored_samples: count, params, metrics: z.record(z.string(), metric) })),
    metadata: params,
  }),
  stats: z.strictObject({ started_at: datetime, completed_at: datetime, model_usage: z.strictObject({}), role_usage: z.strictObject({}), connection_limit_history: z.array(z.never()) }),
  invalidated: z.boolean(),
  tags: z.array(z.string()),
  metadata: params,
  samples: z.array(inspectSample),
  reductions: z.array(z.strictObject({ scorer: z.string(), reducer: z.string().optional(), samples: z.array(score.extend({ sample_id: z.union([count, z.string()]), value: z.number() })) })),
});

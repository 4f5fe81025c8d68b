/** Lines of sample logs: our own of both kinds of evaluation, and those of lm-evaluation-harness. */

export interface Choice {
  text: string;
  /** Nats, -Infinity where the model holds the text impossible; null where it scored none of its tokens. */
  logprob: number | null;
  isTarget: boolean;
}

/** What the viewer shows of one sample, whichever log it came from. */
export interface SampleView {
  /** Equal for the same item in another model's log. */
  key: string;
  task: string;
  prompt: string;
  target: string;
  choices: readonly Choice[];
  generated: string | null;
  /** By the name of the score; numbers for scores that are not right or wrong. */
  scores: Readonly<Record<string, boolean | number>>;
  /** What went wrong in asking: a context that was cut, a continuation that was lost. */
  remarks: readonly string[];
}

type Json = Record<string, unknown>;

const text = (value: unknown): string => (typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value));
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * A line as a sample; undefined when it is none.
 *
 * @param fileName `samples_TASK_DATE.jsonl` names the task that lines of lm-evaluation-harness leave out
 */
export function parseSample(line: string, fileName = ""): SampleView | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  if (isObject(value.correct)) return iqSample(value);
  if (isObject(value.scores) && Array.isArray(value.requests)) return knowledgeSample(value);
  if (isObject(value.arguments) && Array.isArray(value.resps)) return harnessSample(value, fileName);
  return undefined;
}

function iqSample(value: Json): SampleView {
  const logprobs = Array.isArray(value.logprobs) ? (value.logprobs as unknown[]) : [];
  const choices = logprobs.length > 0 && Array.isArray(value.choices) ? (value.choices as unknown[]) : [];
  return {
    key: text(value.key),
    task: text(value.task),
    prompt: text(value.prompt),
    target: text(value.target),
    choices: choices.map((choice, i) => ({ text: text(choice), logprob: pythonFloat(logprobs[i]), isTarget: choice === value.target })),
    generated: typeof value.generated === "string" ? value.generated : null,
    scores: Object.fromEntries(Object.entries(value.correct as Json).map(([name, right]) => [name, right === true])),
    remarks: remarksOf(value, logprobs.includes(null)),
  };
}

function knowledgeSample(value: Json): SampleView {
  const requests = (value.requests as unknown[]).map((request) => (Array.isArray(request) ? (request as unknown[]).map(text) : ["", text(request)]));
  const likelihoods = Array.isArray(value.loglikelihoods) ? (value.loglikelihoods as Json[]) : [];
  const target = text(value.target);
  return {
    key: text(value.key),
    task: text(value.task),
    ...withRequests(requests, target),
    choices: likelihoods.length > 1 ? choicesOf(requests, likelihoods.map((each) => loggedLogprob(each, value.boundaryError === true)), target) : [],
    target,
    generated: typeof value.generated === "string" ? value.generated : null,
    scores: marks(Object.entries(value.scores as Json).map(([name, score]) => [name.replace(/,none$/, ""), score])),
    remarks: remarksOf(value, value.boundaryError === true),
  };
}

function harnessSample(value: Json, fileName: string): SampleView {
  const requests = Object.values(value.arguments as Json).map((argument) => (isObject(argument) ? [text(argument.arg_0), typeof argument.arg_1 === "string" ? argument.arg_1 : ""] : ["", ""]));
  const responses = (value.filtered_resps ?? value.resps) as unknown[];
  const scored = responses.length > 1 && responses.every((answer) => Array.isArray(answer));
  const target = text(value.target);
  const filter = text(value.filter) || "none";
  const task = /^samples_(.+)_\d{4}-\d\d-\d\dT[^_]*$/.exec(fileName.replace(/\.jsonl?$/, ""))?.[1] ?? "samples";
  const names = Array.isArray(value.metrics) ? (value.metrics as unknown[]).map(text) : Object.keys(value).filter((name) => /^(acc|exact|f1|em|mc)/.test(name));
  return {
    key: `${task}/${filter}/${text(value.doc_id)}`,
    task,
    ...withRequests(requests, target),
    choices: scored ? choicesOf(requests, responses.map((answer) => pythonFloat((answer as unknown[])[0])), target) : [],
    target,
    generated: scored ? null : text(Array.isArray(responses[0]) ? (responses[0] as unknown[])[0] : responses[0]),
    scores: marks(names.map((name) => [filter === "none" ? name : `${name} (${filter})`, value[name]])),
    remarks: remarksOf(value, value.boundary_error === true),
  };
}

function remarksOf(value: Json, lost: boolean): string[] {
  const cut = number(value.numTruncated ?? value.truncated_tokens) ?? 0;
  return [
    ...(cut > 0 ? [`The prompt lost its first ${cut.toLocaleString("en")} tokens to the length of the context.`] : []),
    ...(lost ? ["A continuation lost all its tokens at the boundary to the prompt: counted as wrong."] : []),
  ];
}

/** A number as JSON or as Python's text, which is how infinities are written; null for what is none. */
function pythonFloat(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value.trim() === "") return null;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(value.trim());
  const found = infinite ? (infinite[1] === "-" ? -Infinity : Infinity) : Number(value);
  return Number.isNaN(found) ? null : found;
}

/** JSON has no -Infinity: our logs write `-inf`. Older ones have null, as for a lost continuation, which has no tokens or a note of it. */
function loggedLogprob(answer: unknown, hasLost: boolean): number | null {
  if (!isObject(answer)) return null;
  return answer.logprob === null && !hasLost && answer.numTokens !== 0 ? -Infinity : pythonFloat(answer.logprob);
}

const number = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);

/** The shared context; where contexts differ (a choice stands inside it), the longest common beginning. */
function withRequests(requests: readonly (readonly string[])[], _target: string): { prompt: string } {
  const contexts = requests.map(([context]) => context ?? "");
  let prompt = contexts[0] ?? "";
  for (const context of contexts) {
    let same = 0;
    while (same < prompt.length && prompt[same] === context[same]) same++;
    prompt = prompt.slice(0, same);
  }
  return { prompt: prompt === "" ? (requests[0]?.[1] ?? "") : prompt };
}

function choicesOf(requests: readonly (readonly string[])[], logprobs: readonly (number | null)[], target: string): Choice[] {
  const { prompt } = withRequests(requests, target);
  return requests.map(([context = "", continuation = ""], i) => {
    const choice = context.startsWith(prompt) ? context.slice(prompt.length) + continuation : continuation;
    return { text: choice, logprob: logprobs[i] ?? null, isTarget: choice.trim() === target.trim() };
  });
}

function marks(entries: readonly (readonly [string, unknown])[]): Record<string, boolean | number> {
  return Object.fromEntries(
    entries.flatMap(([name, score]) => {
      if (typeof score === "boolean") return [[name, score]];
      if (typeof score !== "number") return [];
      return [[name, /^(acc|exact|em|mc1)/.test(name) && (score === 0 || score === 1) ? score === 1 : score]];
    }),
  );
}

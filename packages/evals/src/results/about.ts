/** What the files of a run say besides its scores. */
export interface RunAbout {
  /** When the evaluation ended. */
  date: Date;
  seconds: number;
  /** Where the weights came from: a path or an address. */
  modelArgs?: string;
  /** `espalier`, `openai-completions`, ... */
  modelSource?: string;
  maxLen?: number;
  /** Digest of the tokenizer, or its name. */
  tokenizer?: string;
  fewshotSeed?: number;
  limit?: number | null;
  bootstrapIterations?: number;
  generation?: { until: readonly string[]; maxTokens: number };
  /** Commit of the program. */
  gitHash?: string | null;
}

/** A model's name as a file name: what Windows refuses becomes `__`, as in lm-evaluation-harness; `.` and `..` do too, which are other directories. */
export function safeName(name: string): string {
  return name.replace(/["<>:/|\\?*[\]]+/g, "__").replace(/^\.{1,2}$/, "__");
}

/** `2026-11-25T04-17-22.000000`: the local-free date that stands in file names. */
export function fileDate(date: Date): string {
  return date.toISOString().replace("Z", "000").replaceAll(":", "-");
}

/** One report of long work: how far, of how much, in which unit. Renderers derive rate and remaining time. */
export interface ProgressEvent {
  /** Stable name of the work, e.g. `tokenize` or `train/grown/seed-0`. */
  task: string;
  done: number;
  /** Absent while unknown. */
  total?: number;
  /** `bytes`, `tokens`, `steps`, `files`, ... */
  unit: string;
  /** A short remark, e.g. `loss 3.512`. */
  detail?: string;
}

/** Where long work reports to. Libraries never print; the command line renders. */
export type Progress = (event: ProgressEvent) => void;

/** Progress for callers that do not care. */
export const silent: Progress = () => {};

import type { Progress } from "@espalier/core";
import type { CorpusInput } from "@espalier/tokenizer/node";

/** The corpus that a run uses when none is named. */
export interface NamedCorpus {
  name: string;
  inputs: readonly CorpusInput[];
}

/** What differs between the workspace and the published package. */
export interface Workspace {
  /**
   * Makes sure that the native executor is there; returns one sentence about the compiler that was taken, which `line`
   * gets as soon as it is known.
   */
  prepareNative(progress: Progress, line: (text: string) => void): Promise<string>;
  /** @throws {UsageError} when there is none: the published package carries no corpus */
  defaultCorpus(): Promise<NamedCorpus>;
  /** HTML of the report page without a report. */
  page(): Promise<string>;
  /** HTML of the planner, complete as it is. */
  plannerPage(): Promise<string>;
  /** HTML of the page that shows the tokens of a text, complete as it is. */
  tokensPage(): Promise<string>;
  /** HTML of the viewer of samples, complete as it is. */
  samplesPage(): Promise<string>;
}

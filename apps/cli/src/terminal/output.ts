import type { Progress, ProgressEvent } from "@espalier/core";
import pc from "picocolors";
import { clock, quantity } from "./format.ts";
import { TaskRate } from "./rate.ts";
import { sentenceLines } from "./wrap.ts";

export type OutputMode = "terminal" | "lines" | "json";

/** Where a command writes: lines for people, JSON for programs, progress in the shape the mode asks for. */
export interface Output {
  readonly mode: OutputMode;
  /** One finished sentence, on a terminal cut between words. Printed to standard output, except with `--json`. */
  line(text: string): void;
  /** Lines that have their form already, a table's for one. */
  verbatim(lines: readonly string[]): void;
  /** Part of a text that grows as it is made. Printed as it stands; nothing with `--json`. */
  piece(text: string): void;
  /** A result for programs: one JSON line with `--json`, otherwise nothing. */
  result(kind: string, value: unknown): void;
  readonly progress: Progress;
  /** Removes the live region; call before leaving. */
  close(): void;
}

const BAR = { wide: 22, narrow: 10 };
/** Below this many columns the bar and the names give way to the figures. */
const WIDE_COLUMNS = 100;
const LONGEST_NAME = 26;
const REDRAW_MS = 100;
const LINE_EVERY_MS = 10_000;

function bar(share: number, width: number): string {
  const full = Math.round(share * width);
  return pc.green("━".repeat(full)) + pc.dim("─".repeat(width - full));
}

/** At most `length` characters; what was cut off is marked. */
const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

function describe(event: ProgressEvent, rate: TaskRate): string {
  const share = event.total ? Math.min(1, event.done / event.total) : undefined;
  const parts = [
    share === undefined ? quantity(event.done, event.unit) : `${(100 * share).toFixed(0).padStart(3)} %`,
    rate.perSecond === undefined ? "" : `${quantity(rate.perSecond, event.unit)}/s`,
    rate.secondsLeft === undefined || share === 1 ? "" : `${clock(rate.secondsLeft)} left`,
    event.detail ?? "",
  ];
  return parts.filter(Boolean).join("  ");
}

/**
 * Picks the mode: `--json` wins, a terminal gets bars, everything else plain lines (one per task every ten seconds).
 * Progress and lines of a terminal share one region at the bottom that is redrawn at most ten times a second.
 */
export function createOutput(options: { json: boolean; stream?: NodeJS.WriteStream; now?: () => number }): Output {
  const stream = options.stream ?? process.stdout;
  const now = options.now ?? Date.now;
  const mode: OutputMode = options.json ? "json" : stream.isTTY && !process.env.CI ? "terminal" : "lines";
  const tasks = new Map<string, TaskRate>();
  const lastLine = new Map<string, number>();
  let drawn = 0;
  let nameWidth = 0; // only ever grows, so that figures do not jump when a task ends
  let lastDraw = 0;

  const erase = () => {
    if (drawn) stream.write(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const draw = () => {
    erase();
    const columns = stream.columns ?? WIDE_COLUMNS;
    const barWidth = columns < WIDE_COLUMNS ? BAR.narrow : BAR.wide;
    nameWidth = Math.min(LONGEST_NAME, Math.max(nameWidth, ...[...tasks.keys()].map((name) => name.length)));
    for (const [name, rate] of tasks) {
      const event = rate.last!;
      const share = event.total ? Math.min(1, event.done / event.total) : 0;
      const text = `${cut(name, nameWidth).padEnd(nameWidth)} ${describe(event, rate)}`;
      stream.write(`${bar(share, barWidth)} ${cut(text, Math.max(20, columns - barWidth - 2))}\n`);
      drawn++;
    }
    lastDraw = now();
  };

  const print = (text: string) => {
    if (mode === "json") return;
    erase();
    stream.write(`${text}\n`);
    if (mode === "terminal") draw();
  };

  const progress: Progress = (event) => {
    if (mode === "json") {
      stream.write(`${JSON.stringify({ kind: "progress", ...event })}\n`);
      return;
    }
    const rate = tasks.get(event.task) ?? new TaskRate();
    tasks.set(event.task, rate);
    rate.update(event, now());
    const sentence = () => `${event.task}: ${describe(event, rate)}`;
    if (mode === "lines") {
      const due = now() - (lastLine.get(event.task) ?? -Infinity) >= LINE_EVERY_MS;
      if (due || rate.finished) {
        stream.write(`${sentence()}\n`);
        lastLine.set(event.task, now());
      }
      if (rate.finished) tasks.delete(event.task);
      return;
    }
    if (rate.finished) {
      erase();
      tasks.delete(event.task);
      stream.write(`${pc.green("✓")} ${event.task}  ${pc.dim([event.detail ?? quantity(event.done, event.unit), rate.seconds >= 1 ? clock(rate.seconds) : ""].filter(Boolean).join("  "))}\n`);
      draw();
    } else if (now() - lastDraw >= REDRAW_MS) draw();
  };

  return {
    mode,
    progress,
    line(text) {
      const columns = mode === "terminal" ? (stream.columns ?? Infinity) : Infinity;
      print(text.split("\n").flatMap((sentence) => sentenceLines(sentence, columns)).join("\n"));
    },
    verbatim(lines) {
      print(lines.join("\n"));
    },
    piece(text) {
      if (mode === "json") return;
      erase();
      stream.write(text);
    },
    result(kind, value) {
      if (mode === "json") stream.write(`${JSON.stringify({ kind, value })}\n`);
    },
    close: erase,
  };
}

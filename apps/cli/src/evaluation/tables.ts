import { type Comparison, type Evaluation, isShareMetric, type KnowledgeEvaluation, type MetricName, type Score, type SeedScore, type TaskResult } from "@espalier/evals";
import pc from "picocolors";
import { tableLines } from "../terminal/table.ts";

export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;
const between = (interval: readonly [number, number] | null): string =>
  interval === null || interval.some(Number.isNaN)
    ? ""
    : `${(100 * interval[0]).toFixed(1)} to ${(100 * interval[1]).toFixed(1)}`;
const points = (share: number): string => `${(100 * share).toFixed(1)}`;

/** IQ tests: a row a task and scoring; dimmed where the interval does not rise above chance. */
export function iqLines(evaluation: Evaluation): string[] {
  const shown = evaluation.tasks.flatMap((task) =>
    task.scores.filter(({ scoring }) => scoring !== "likelihood per character").map((score) => ({ task, score })),
  );
  const row = (score: Score, { task, items, unscored, truncated, minimumDetectableDifference }: TaskResult): string[] => {
    const { scoring, accuracy, interval, chance, atFloor } = score;
    const remarks = [
      atFloor ? "at floor" : "",
      unscored > 0 && scoring === "likelihood" ? `${unscored} lost at a token boundary` : "",
      truncated > 0 ? `${truncated} cut to the context` : "",
    ];
    const cells = [
      task,
      scoring,
      percent(accuracy),
      between(interval),
      percent(chance),
      String(items),
      points(minimumDetectableDifference),
      remarks.filter(Boolean).join(", "),
    ];
    return atFloor ? cells.map((cell) => pc.dim(cell)) : cells;
  };
  const table = tableLines(
    ["task", "scoring", "right", "95 %", "chance", "items", "shows", ""],
    shown.map(({ task, score }) => row(score, task)),
    [2, 4, 5, 6],
  );
  const parts = evaluation.tasks.flatMap(({ task, parts: credit }) => {
    if (credit === undefined) return [];
    const text = ({ mean, interval }: { mean: number; interval: readonly [number, number] }) =>
      `${percent(mean)} (${between(interval)})`;
    if (credit.kind === "set") return [`${task}: ${text(credit.recall)} of the values named`];
    return [
      `${task}: right steps before the first wrong one ${text(credit.prefixAccuracy)}; all steps right ${percent(credit.sequentialMatch.share)}, the last ${percent(credit.finalMatch.share)}`,
    ];
  });
  return [...table, ...parts];
}

/**
 * Knowledge tests: a row a task, metric and filter. With several few-shot seeds the value is their mean, the interval is of
 * documents, and what another choice of shots changes stands beside it.
 */
export function knowledgeLines(evaluations: readonly KnowledgeEvaluation[], overSeeds?: readonly SeedScore[]): string[] {
  const [first] = evaluations;
  if (first === undefined) return [];
  const value = (x: number, metric: MetricName) => (isShareMetric(metric) ? percent(x, 2) : x.toPrecision(5));
  const spread = ({ spreadOverSeeds, values, metric }: SeedScore) =>
    `${isShareMetric(metric) ? points(spreadOverSeeds) : spreadOverSeeds.toPrecision(2)} (${value(Math.min(...values), metric)} to ${value(Math.max(...values), metric)})`;
  const rows = first.tasks.flatMap((task) =>
    task.scores.map((score) => {
      const seeds = overSeeds?.find(({ task: name, metric, filter }) => name === task.task && metric === score.metric && filter === score.filter);
      const interval = seeds ? seeds.interval : score.interval;
      return [
        task.alias ?? task.task,
        score.filter === "none" ? score.metric : `${score.metric} (${score.filter})`,
        value(seeds?.mean ?? score.value, score.metric),
        isShareMetric(score.metric) ? between(interval) : "",
        seeds ? spread(seeds) : "",
        task.chance === null ? "" : percent(task.chance),
        String(task.documents),
        score.minimumDetectableDifference === null ? "" : points(score.minimumDetectableDifference),
        [
          task.boundaryErrors > 0 ? `${task.boundaryErrors} lost at a token boundary` : "",
          task.truncated > 0 ? `${task.truncated} cut to the context` : "",
        ]
          .filter(Boolean)
          .join(", "),
      ];
    }),
  );
  const head = ["task", "metric", "value", "95 %", "over seeds", "chance", "documents", "shows", ""];
  const used = head.map((_, i) => i).filter((i) => i === 0 || rows.some((row) => row[i] !== ""));
  const lines = tableLines(
    used.map((i) => head[i]!),
    rows.map((row) => used.map((i) => row[i]!)),
    used.flatMap((i, at) => ([2, 5, 6, 7].includes(i) ? [at] : [])),
  );
  return [...lines, ...groupLines(evaluations, value), ...(overSeeds ? [pc.dim(SEEDS(evaluations.length))] : [])];
}

/** Averages over tasks, of all seeds. */
function groupLines(evaluations: readonly KnowledgeEvaluation[], value: (x: number, metric: MetricName) => string): string[] {
  return evaluations[0]!.groups.flatMap((group, g) =>
    group.scores.map((score, s) => {
      const values = evaluations.map(({ groups }) => groups[g]!.scores[s]!.value);
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
      const interval = evaluations.length === 1 && score.interval && isShareMetric(score.metric) ? ` (${between(score.interval)}, tasks as clusters)` : "";
      const metric = score.filter === "none" ? score.metric : `${score.metric} (${score.filter})`;
      return `${group.alias ?? group.group}, ${metric}: ${value(mean, score.metric)}${interval} over ${group.tasks.length} tasks, ${group.documents} documents`;
    }),
  );
}

/** Files whose digest nobody states: a result over them names what was measured by these. */
export function unstatedLines([first]: readonly KnowledgeEvaluation[]): string[] {
  const files = first?.tasks.flatMap(({ files: read = [] }) => read.filter(({ statedBy }) => statedBy === "nothing")) ?? [];
  const digests = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  if (digests.size === 0) return [];
  return [
    "\nData that no manifest.json below --sets states (put these there, and other bytes are refused):",
    ...[...digests].map(([path, sha256]) => `  ${JSON.stringify(path)}: {"sha256": "${sha256}"}`),
  ];
}

const SEEDS = (seeds: number) =>
  `value: mean of ${seeds} few-shot seeds; 95 %: of documents, for these seeds; over seeds: standard deviation in points, lowest and highest`;

export const SHOWS =
  "shows: difference to another model, in points, that this many paired items reveal with power 0.8 when the models disagree on half of them";

/** Paired differences of two models. */
export function comparisonLines({ rows }: Comparison, a: string, b: string): string[] {
  return tableLines(
    ["task", "metric", a, b, "difference", "95 %", "only A / B", "p", "Holm", "", "shows"],
    rows.map((row) => {
      const isShare = row.onlyA !== null;
      const text = (x: number) => (isShare ? points(x) : x.toPrecision(4));
      return [
        row.task,
        row.metric,
        text(row.a),
        text(row.b),
        `${row.difference > 0 ? "+" : ""}${text(row.difference)}`,
        row.interval.some(Number.isNaN) ? "" : row.interval.map(text).join(" to "),
        isShare ? `${row.onlyA} / ${row.onlyB}` : "",
        row.pValue.toPrecision(2),
        row.holm.toPrecision(2),
        row.real ? pc.green("real") : pc.dim("not shown"),
        text(row.minimumDetectableDifference),
      ];
    }),
    [2, 3, 4, 6, 7, 8, 10],
  );
}

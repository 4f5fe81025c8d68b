import { paperIqTables, type PaperDifference, type PaperModel } from "@espalier/evals";
import pc from "picocolors";
import type { Output } from "../terminal/output.ts";
import { tableLines } from "../terminal/table.ts";

const MODELS: readonly PaperModel[] = ["GPT-3", "GLM-130B", "FLM-101B"];

const NOTES = [
  "Scores are per cent right as printed, with Wilson's 95 % interval. Items are implied: the smallest natural number that gives every",
  "printed digit (100 of pattern mining are stated); more items would make intervals narrower, fewer wider. Chance is that of naming one of",
  "the symbols; * marks scores that no one can tell from it, or below it.",
  "Differences are FLM-101B minus the rival in points, with Newcombe's interval and Fisher's exact p, of averages with a normal one; p (Holm)",
  "allows for all tasks, or all averages, tested at once. `could show` is the true difference that these items show in 80 of 100 cases.",
];

const percent = (share: number) => (100 * share).toFixed(1);
const probability = (p: number) => (p < 0.001 ? "< 0.001" : p.toFixed(3));
const verdict = ({ survives, difference }: PaperDifference) => (!survives ? pc.dim("not shown") : difference > 0 ? pc.green("better") : pc.red("worse"));

/** The paper's IQ tables with the intervals they leave out, and which of its differences survive. */
export function paperTables(output: Output): void {
  const { cells, differences } = paperIqTables();
  for (const line of NOTES) output.line(pc.dim(line));
  for (const table of new Set(cells.map((cell) => cell.table))) {
    output.line(`\n${pc.bold(table)}`);
    const ofTable = cells.filter((cell) => cell.table === table);
    const models = MODELS.filter((model) => ofTable.some((cell) => cell.model === model));
    const hasChance = ofTable.some(({ chance }) => chance !== null);
    const rows = [...new Set(ofTable.map(({ task }) => task))].map((task) => {
      const [first] = ofTable.filter((cell) => cell.task === task);
      const scores = models.flatMap((model) => {
        const { printed, interval, atFloor } = ofTable.find((cell) => cell.task === task && cell.model === model)!;
        return [`${printed.toFixed(2)}${atFloor ? "*" : hasChance ? " " : ""}`, `${percent(interval[0])} to ${percent(interval[1])}`];
      });
      return [task, String(first.items), ...(hasChance ? [percent(first.chance!)] : []), ...scores];
    });
    const head = ["task", "items", ...(hasChance ? ["chance"] : []), ...models.flatMap((model) => [model, "95 %"])];
    output.verbatim(tableLines(head, rows, head.flatMap((name, i) => (name === "task" || name === "95 %" ? [] : [i]))));
    const tested = differences
      .filter((difference) => difference.table === table)
      .map((row) => [
        row.task,
        row.rival,
        `${row.difference > 0 ? "+" : ""}${percent(row.difference)}`,
        row.interval.map(percent).join(" to "),
        percent(row.minimumDetectableDifference),
        probability(row.pValue),
        probability(row.adjustedPValue),
        verdict(row),
      ]);
    output.verbatim(tableLines(["task", "against", "points", "95 %", "could show", "p", "p (Holm)", "FLM-101B is"], tested, [2, 4, 5, 6]));
  }
  output.line("");
  for (const line of conclusions(differences)) output.line(line);
  const guessable = cells.filter(({ chance }) => chance !== null);
  output.line(
    `Symbols for labels (Tables 7 and 8): ${guessable.filter(({ atFloor }) => atFloor).length} of ${guessable.length} scores cannot be told from guessing, or are below it.`,
  );
  output.line("Answers to single items were not published, so the tests are unpaired: pairing could show more.");
  output.result("paper", { cells, differences });
}

/** How often FLM-101B is shown to be better and worse than each rival, before and after allowing for many tests. */
function conclusions(differences: readonly PaperDifference[]): string[] {
  return (["GPT-3", "GLM-130B"] as const).flatMap((rival) =>
    [false, true].map((averages) => {
      const rows = differences.filter((row) => row.rival === rival && (row.task === "average") === averages);
      const sign = (points: number) => rows.filter((row) => row.survives && Math.sign(row.difference) === points).length;
      const alone = rows.filter(({ pValue }) => pValue < 0.05).length;
      return `FLM-101B against ${rival}, ${rows.length} ${averages ? "averages" : "tasks"}: better in ${sign(1)}, worse in ${sign(-1)}, not shown in ${rows.length - sign(1) - sign(-1)} (p alone would call ${alone} real).`;
    }),
  );
}

import type { Evaluation } from "@espalier/evals";
import type { IqScore } from "@espalier/spec/run";

/** Cells of the report from an evaluation: greedy exact match and likelihood over the choices. */
export function iqScores(evaluation: Evaluation, leftOut: string): IqScore[] {
  return evaluation.tasks.flatMap(({ task, scores }) =>
    scores.flatMap(({ scoring, correct, items, accuracy, interval, chance, atFloor }): IqScore[] => {
      if (scoring === "likelihood per character") return [];
      return [{ task, scoring, correct, items, accuracy, interval: [interval[0], interval[1]], chance, atFloor, unseen: task === leftOut }];
    }),
  );
}

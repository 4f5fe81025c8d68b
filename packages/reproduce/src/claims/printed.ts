import { type IqClaim, paperIqTables } from "@espalier/evals";
import type { ClaimRow } from "@espalier/spec/run";

const printed: Record<IqClaim, string> = {
  "iq.symbolic": "Tables 7 and 8",
  "iq.rules": "76.42 against 71.49 (GLM-130B) and 86.03 (GPT-3)",
  "iq.patterns": "64.67 against 53.00 and 70.00",
  "iq.interference": "60.11 against 53.56 and 70.11",
};

/**
 * The paper's own IQ tables with the intervals that it leaves out: which of its differences survive. The models are
 * not at hand, so nothing here is called reproduced.
 */
export function printedIqClaims(): ClaimRow[] {
  const { differences } = paperIqTables();
  return (Object.keys(printed) as IqClaim[]).map((id) => {
    const rows = differences.filter((row) => row.claim === id);
    const survivors = rows.filter((row) => row.survives);
    const named = survivors.map(
      ({ task, table, rival, difference }) =>
        `${task === "average" ? `average of ${table}` : task} ${difference > 0 ? "above" : "below"} ${rival}`,
    );
    return {
      id,
      kind: "arithmetic",
      paper: printed[id],
      measured: `${survivors.length} of ${rows.length} differences survive`,
      verdict: "not testable here",
      why:
        `The models are not at hand. From the printed scores and implied item counts, after Holm's correction at 0.05: ` +
        `${named.length ? named.join("; ") : "no difference of FLM-101B to another model"}. The same families run on our own stages above.`,
    };
  });
}

/** What has no implementation yet, each with the reason. */
export function laterClaims(): ClaimRow[] {
  const later = (id: string, paper: string, why: string): ClaimRow => ({
    id,
    kind: "later issue",
    paper,
    measured: "–",
    verdict: "not testable here",
    why,
  });
  return [
    later("mup.transfer", "hyper-parameters found on a narrow proxy serve the wide model", "no search over widths yet; layouts and optimiser already carry the muP rules"),
    later("mup.loss-prediction", "the wide model's loss is predicted from proxies", "the published test vector is fitted by the cost package's tests; no proxies of our own are trained yet"),
    later("freelm.teacher", "teacher signal raises knowledge scores (MMLU 27.02 → 44.50, C-Eval 27.0 → 46.1)", "the teacher objective is not built yet"),
  ];
}

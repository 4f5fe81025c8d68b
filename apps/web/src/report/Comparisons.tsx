import type { ReproductionReport } from "@espalier/spec/run";
import { compact, duration, loss, scientific, signed } from "../format.ts";
import { Forest } from "./Forest.tsx";
import { roles } from "./roles.ts";
import { Table } from "./Table.tsx";

/** What decides the question: grown against each control, with spread over seeds; then every arm in one table. */
export function Comparisons({ report }: { report: ReproductionReport }) {
  const { comparisons, equalLoss } = report;
  const arms = report.arms.filter((arm) => arm.role !== "pilot").toSorted((a, b) => a.finalLoss - b.finalLoss);
  if (comparisons.length + arms.length === 0) return null;
  return (
    <section id="controls">
      <h2>Grown against its controls</h2>
      {comparisons.length > 0 && (
        <>
          <p>
            Difference of the final validation loss, grown − control: small dots are seeds, the bar is the mean, the band its 95 % interval
            (t over seeds). A band across the line decides nothing.
          </p>
          <Forest comparisons={comparisons} />
          <details>
            <summary>in words, and seed by seed</summary>
            {comparisons.map(({ name, sentence }) => (
              <p key={name}>
                <b>{name}.</b> {sentence}
              </p>
            ))}
            <Table
              label="Final loss seed by seed"
              headings={["comparison", "seed", "grown", "control", "difference", "grown is at most the control"]}
              rows={comparisons.flatMap(({ name, perSeed }) =>
                perSeed.map((row) => ({
                  key: `${name} ${row.seed}`,
                  cells: [name, row.seed, loss(row.grown), loss(row.control), signed(row.grown - row.control), <b className={row.passed ? "yes" : "no"}>{row.passed ? "yes" : "no"}</b>],
                })),
              )}
            />
          </details>
        </>
      )}
      {equalLoss.length > 0 && (
        <>
          <h3>FLOPs at equal loss</h3>
          <p>How many times the grown run's FLOPs the reference needs for the same loss. Below 1, growth costs more than it saves.</p>
          <Table
            label="FLOPs at equal loss"
            headings={["arm", "against", "multiplier", "95 % interval", "note"]}
            rows={equalLoss.map((row) => ({
              key: row.arm + row.reference,
              cells: [
                row.arm,
                row.reference,
                row.multiplier === null ? "outside the curve" : <b className={row.interval && row.interval[0] > 1 ? "yes" : row.interval && row.interval[1] < 1 ? "no" : ""}>{row.multiplier.toFixed(2)}×</b>,
                row.interval ? `${row.interval[0].toFixed(2)} to ${row.interval[1].toFixed(2)}` : "–",
                row.note,
              ],
            }))}
          />
        </>
      )}
      {arms.length > 0 && (
        <>
          <h3>Every arm, best first</h3>
          <Table
            label="Every arm, best first"
            headings={["arm", "seed", "parameters", "tokens", "FLOPs", "time (predicted)", "rate", "loss", "bits per byte"]}
            rows={arms.map((arm) => ({
              key: arm.id,
              cells: [
                <>
                  <i className="dot" style={{ background: roles[arm.role].colour }} /> {arm.title}
                </>,
                arm.seed,
                arm.stages.map((stage) => compact(stage.numParameters)).join(" → "),
                compact(arm.tokens),
                scientific(arm.flops),
                <>
                  {duration(arm.seconds)} <small>({duration(arm.predictedSeconds)})</small>
                </>,
                arm.learningRate,
                loss(arm.finalLoss),
                arm.bitsPerByte.toFixed(3),
              ],
            }))}
          />
        </>
      )}
    </section>
  );
}

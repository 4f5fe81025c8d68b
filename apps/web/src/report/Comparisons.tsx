import type { ReproductionReport } from "@espalier/spec/run";
import { compact, duration, loss, scientific } from "../format.ts";
import { roles } from "./roles.ts";

/** What decides the question: grown against each control per seed, then every arm in one table. */
export function Comparisons({ report }: { report: ReproductionReport }) {
  const arms = report.arms.filter((arm) => arm.role !== "pilot").toSorted((a, b) => a.finalLoss - b.finalLoss);
  return (
    <section>
      <h2>Grown against its controls</h2>
      {report.comparisons.map((comparison) => (
        <div key={comparison.name} className="comparison">
          <h3>{comparison.name}</h3>
          <p>{comparison.sentence}</p>
          <table>
            <thead>
              <tr>
                <th>seed</th>
                <th>grown</th>
                <th>control</th>
                <th>difference</th>
                <th>grown is at most the control</th>
              </tr>
            </thead>
            <tbody>
              {comparison.perSeed.map((row) => (
                <tr key={row.seed}>
                  <td>{row.seed}</td>
                  <td>{loss(row.grown)}</td>
                  <td>{loss(row.control)}</td>
                  <td>{(row.grown - row.control).toFixed(4)}</td>
                  <td className={row.passed ? "yes" : "no"}>{row.passed ? "yes" : "no"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ))}
      <h3>Every arm, best first</h3>
      <div className="wide">
        <table>
          <thead>
            <tr>
              <th>arm</th>
              <th>seed</th>
              <th>parameters</th>
              <th>tokens</th>
              <th>FLOPs</th>
              <th>time (predicted)</th>
              <th>rate</th>
              <th>loss</th>
              <th>bits per byte</th>
            </tr>
          </thead>
          <tbody>
            {arms.map((arm) => (
              <tr key={arm.id}>
                <td>
                  <i className="dot" style={{ background: roles[arm.role].colour }} /> {arm.title}
                </td>
                <td>{arm.seed}</td>
                <td>{arm.stages.map((stage) => compact(stage.numParameters)).join(" → ")}</td>
                <td>{compact(arm.tokens)}</td>
                <td>{scientific(arm.flops)}</td>
                <td>
                  {duration(arm.seconds)} <small>({duration(arm.predictedSeconds)})</small>
                </td>
                <td>{arm.learningRate}</td>
                <td>{loss(arm.finalLoss)}</td>
                <td>{arm.bitsPerByte.toFixed(3)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {report.equalLoss.length > 0 && (
        <>
          <h3>FLOPs at equal loss</h3>
          <table>
            <thead>
              <tr>
                <th>arm</th>
                <th>against</th>
                <th>multiplier</th>
                <th>95 % interval</th>
                <th>note</th>
              </tr>
            </thead>
            <tbody>
              {report.equalLoss.map((row) => (
                <tr key={row.arm + row.reference}>
                  <td>{row.arm}</td>
                  <td>{row.reference}</td>
                  <td>{row.multiplier === null ? "outside the curve" : `${row.multiplier.toFixed(2)}×`}</td>
                  <td>{row.interval ? `${row.interval[0].toFixed(2)} to ${row.interval[1].toFixed(2)}` : "–"}</td>
                  <td>{row.note}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </section>
  );
}

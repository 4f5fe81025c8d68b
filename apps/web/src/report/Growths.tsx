import type { AxisProbe, GrowthProof, ReportArm } from "@espalier/spec/run";
import { compact, loss, scientific } from "../format.ts";

/** The two columns of the algebra: what is proved from the map, before a number moves. */
function Proof({ proof: { logits, gradients, needsGates, refusals } }: { proof: GrowthProof }) {
  return (
    <>
      <td className={logits ? "yes" : "no"} title={refusals.join("\n") || undefined}>
        {logits ? (needsGates ? "exact while gates are 0" : "exact") : `not exact: ${refusals[0]}`}
      </td>
      <td>{gradients ? "carried" : "—"}</td>
    </>
  );
}

/** What each growth did to the function at the moment it happened. */
export function Growths({ arms, probes }: { arms: readonly ReportArm[]; probes: readonly AxisProbe[] }) {
  const rows = arms.flatMap((arm) => arm.growths.map((growth, index) => ({ arm, growth, stage: arm.stages[index + 1] })));
  if (rows.length === 0) return null;
  return (
    <section>
      <h2>The moment of growth</h2>
      <p>
        Logit change is max |a − b| / max |a| over 64 held-back positions in single precision, gates at 0. Exact operators
        must stay below 10⁻⁵. The two columns beside it are proved from the growth map alone, before a number moves: whether
        the logits of every input stay, and whether the gradients of the carried weights do.
      </p>
      {probes.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>axis grown alone</th>
              <th>operator</th>
              <th>from</th>
              <th>to</th>
              <th>logits, proved</th>
              <th>gradients, proved</th>
              <th>logit change, measured</th>
            </tr>
          </thead>
          <tbody>
            {probes.map((probe) => (
              <tr key={probe.axis + probe.operator}>
                <td>{probe.axis}</td>
                <td>{probe.operator}</td>
                <td>{probe.from}</td>
                <td>{probe.to}</td>
                <Proof proof={probe.proof} />
                <td className={probe.logitChange <= 1e-5 ? "yes" : "no"}>{scientific(probe.logitChange)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <h3>Every growth of the runs</h3>
      <div className="wide">
        <table>
          <thead>
            <tr>
              <th>arm</th>
              <th>seed</th>
              <th>at</th>
              <th>operators</th>
              <th>to</th>
              <th>loss before</th>
              <th>after</th>
              <th>logits, proved</th>
              <th>gradients, proved</th>
              <th>logit change, measured</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ arm, growth, stage }) => (
              <tr key={`${arm.id}-${growth.step}`}>
                <td>{arm.title}</td>
                <td>{arm.seed}</td>
                <td>{compact(growth.tokens)} tokens</td>
                <td>
                  {Object.entries(growth.operators)
                    .map(([axis, operator]) => `${axis}: ${operator}`)
                    .join(", ")}
                </td>
                <td>{stage ? `L${stage.model.numLayers} C${stage.model.residualDim}` : ""}</td>
                <td>{loss(growth.lossBefore)}</td>
                <td>{loss(growth.lossAfter)}</td>
                <Proof proof={growth.proof} />
                <td className={growth.logitChange <= 1e-5 ? "yes" : "no"}>{scientific(growth.logitChange)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

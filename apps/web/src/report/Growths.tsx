import type { AxisProbe, GrowthProof, ReportArm } from "@espalier/spec/run";
import { compact, loss, scientific } from "../format.ts";
import { type Row, Table } from "./Table.tsx";

/** Bar of exact operators, max |a - b| / max |a| in single precision. */
const EXACT = 1e-5;

/** The two columns of the algebra, proved from the map before a number moves, and what was measured beside them. */
function checks({ logits, gradients, needsGates, refusals }: GrowthProof, logitChange: number) {
  return [
    <b className={logits ? "yes" : "no"}>{logits ? (needsGates ? "exact while gates are 0" : "exact") : `not exact: ${refusals[0]}`}</b>,
    gradients ? "carried" : "—",
    <b className={logitChange <= EXACT ? "yes" : "no"}>{scientific(logitChange)}</b>,
  ];
}
const CHECKS = ["logits, proved", "gradients, proved", "logit change, measured"];

function growthRows(arms: readonly ReportArm[]): Row[] {
  return arms.flatMap((arm) =>
    arm.growths.map((growth, index) => {
      const stage = arm.stages[index + 1];
      return {
        key: `${arm.id}-${growth.step}`,
        cells: [
          arm.title,
          arm.seed,
          `${compact(growth.tokens)} tokens`,
          Object.entries(growth.operators).map(([axis, operator]) => `${axis}: ${operator}`).join(", "),
          stage ? `L${stage.model.numLayers} C${stage.model.residualDim}` : "",
          `${loss(growth.lossBefore)} → ${loss(growth.lossAfter)}`,
          ...checks(growth.proof, growth.logitChange),
        ],
      };
    }),
  );
}
const GROWTH_HEADINGS = ["arm", "seed", "at", "operators", "to", "loss before → after", ...CHECKS];

/** What each growth did to the function at the moment it happened. */
export function Growths({ arms, probes }: { arms: readonly ReportArm[]; probes: readonly AxisProbe[] }) {
  const rows = growthRows(arms.filter((arm) => arm.role !== "pilot"));
  const pilots = growthRows(arms.filter((arm) => arm.role === "pilot"));
  if (rows.length + probes.length === 0) return null; // pilots alone: the runs have not grown yet
  return (
    <section id="growths">
      <h2>The moment of growth</h2>
      <p>
        Logit change is max |a − b| / max |a| over 64 held-back positions in single precision, gates at 0. Exact operators
        must stay below 10⁻⁵. The two columns beside it are proved from the growth map alone, before a number moves: whether
        the logits of every input stay, and whether the gradients of the carried weights do.
      </p>
      {probes.length > 0 && (
        <Table
          label="Each axis grown alone"
          headings={["axis grown alone", "operator", "from", "to", ...CHECKS]}
          rows={probes.map(({ axis, operator, from, to, proof, logitChange }) => ({ key: axis + operator, cells: [axis, operator, from, to, ...checks(proof, logitChange)] }))}
        />
      )}
      {rows.length > 0 && (
        <>
          <h3>Every growth of the runs</h3>
          <Table label="Every growth of the runs" className="growths" headings={GROWTH_HEADINGS} rows={rows} />
        </>
      )}
      {pilots.length > 0 && (
        <details>
          <summary>the {pilots.length} growths of pilots</summary>
          <Table label="Growths of pilots" className="growths" headings={GROWTH_HEADINGS} rows={pilots} />
        </details>
      )}
    </section>
  );
}

import type { ReportComparison } from "@espalier/spec/run";
import { signed } from "../format.ts";

/** What an interval says of a difference grown - control, in nats. */
function verdict({ meanDifference, interval }: ReportComparison): { word: string; tone: "yes" | "no" | "unsure" } {
  if (!interval) return { word: "one seed: not decided", tone: "unsure" };
  if (interval[0] <= 0 && interval[1] >= 0) return { word: "not decided", tone: "unsure" };
  return meanDifference < 0 ? { word: "grown is better", tone: "yes" } : { word: "control is better", tone: "no" };
}

const rows = { yes: "for-grown", no: "for-control", unsure: "" };

/** Every comparison on one axis: a dot a seed, the mean, its 95 % interval, and the line of no difference. */
export function Forest({ comparisons }: { comparisons: readonly ReportComparison[] }) {
  const values = comparisons.flatMap(({ perSeed, interval }) => [...(interval ?? []), ...perSeed.map((row) => row.grown - row.control)]);
  // At least a third of the axis on each side: room for its name, and the line of no difference is never at the edge.
  const reach = Math.max(0.001, ...values.map(Math.abs));
  const low = Math.min(-reach / 2, ...values);
  const high = Math.max(reach / 2, ...values);
  const pad = 0.06 * (high - low);
  const x = (value: number) => `${(100 * (value - low + pad)) / (high - low + 2 * pad)}%`;
  return (
    <div className="forest">
      <div className="forest-row forest-head" aria-hidden="true">
        <span />
        <div className="forest-track">
          <em style={{ right: `calc(100% - ${x(0)} + 0.6rem)` }}>← grown lower</em>
          <em style={{ left: `calc(${x(0)} + 0.6rem)` }}>control lower →</em>
        </div>
        <span />
      </div>
      {comparisons.map((comparison) => {
        const { name, s, perSeed, meanDifference, interval } = comparison;
        const { word, tone } = verdict(comparison);
        return (
          <div key={name} className={`forest-row ${rows[tone]}`}>
            <span>
              {name} <small>control: {s.toFixed(2)}× the FLOPs</small>
            </span>
            <div className="forest-track" aria-hidden="true">
              <u style={{ left: x(0) }} />
              {interval && <b style={{ left: x(interval[0]), width: `calc(${x(interval[1])} - ${x(interval[0])})` }} />}
              {perSeed.map((row) => (
                <i key={row.seed} style={{ left: x(row.grown - row.control) }} title={`seed ${row.seed}: ${signed(row.grown - row.control)}`} />
              ))}
              <s style={{ left: x(meanDifference) }} />
            </div>
            <span className="forest-number">
              <strong className={tone}>{word}</strong>
              <br />
              {signed(meanDifference, 3)} nats {interval && <small>[{signed(interval[0], 3)}, {signed(interval[1], 3)}]</small>}
            </span>
          </div>
        );
      })}
    </div>
  );
}

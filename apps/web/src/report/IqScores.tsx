import type { IqScore, ReportArm } from "@espalier/spec/run";
import { percent } from "../format.ts";

/** Bar of one score: the interval as a band, chance as a tick, the estimate as a dot. */
function Interval({ score }: { score: IqScore }) {
  const x = (share: number) => `${100 * share}%`;
  return (
    <span className={score.atFloor ? "interval floor" : "interval"} title={`${score.correct} of ${score.items}`}>
      <b style={{ left: x(score.interval[0]), width: x(score.interval[1] - score.interval[0]) }} />
      <em style={{ left: x(score.chance) }} />
      <u style={{ left: x(score.accuracy) }} />
    </span>
  );
}

/** IQ tests of each stage of the grown runs that were examined. */
export function IqScores({ arms, leftOut }: { arms: readonly ReportArm[]; leftOut: string }) {
  const examined = arms.filter((arm) => arm.stages.some((stage) => stage.iq.length > 0));
  if (examined.length === 0) return null;
  return (
    <section>
      <h2>IQ tests, stage by stage</h2>
      <p>
        Bands are 95 % Wilson intervals; the tick is chance. A cell whose interval contains chance is greyed and marked{" "}
        <em>at floor</em>: it says nothing about ability. The family <b>{leftOut}</b> was left out of the training text.
      </p>
      {examined.map((arm) => {
        const stages = arm.stages.filter((stage) => stage.iq.length > 0);
        const keys = [...new Set(stages.flatMap((stage) => stage.iq.map((score) => `${score.task}|${score.scoring}`)))];
        return (
          <div key={arm.id} className="wide">
            <h3>{arm.title}</h3>
            <table className="iq">
              <thead>
                <tr>
                  <th>task</th>
                  <th>scoring</th>
                  {stages.map((stage) => (
                    <th key={stage.name}>{stage.name}</th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {keys.map((key) => {
                  const [task, scoring] = key.split("|") as [string, string];
                  return (
                    <tr key={key}>
                      <td>{task}</td>
                      <td>{scoring}</td>
                      {stages.map((stage) => {
                        const score = stage.iq.find((item) => item.task === task && item.scoring === scoring);
                        return (
                          <td key={stage.name}>
                            {score && (
                              <>
                                <Interval score={score} />
                                <small>
                                  {percent(score.accuracy)}
                                  {score.atFloor ? " at floor" : ""}
                                </small>
                              </>
                            )}
                          </td>
                        );
                      })}
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        );
      })}
    </section>
  );
}

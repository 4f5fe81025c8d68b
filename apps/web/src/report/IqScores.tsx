import type { IqScore, ReportArm } from "@espalier/spec/run";
import { percent } from "../format.ts";
import { Table } from "./Table.tsx";

/** Bar of one score: the interval as a band, chance as a tick, the estimate as a dot. */
function Interval({ score }: { score: IqScore }) {
  const x = (share: number) => `${100 * share}%`;
  return (
    <span className={score.atFloor ? "interval floor" : "interval"} title={`${score.correct} of ${score.items}, 95 % interval ${percent(score.interval[0])} to ${percent(score.interval[1])}, chance ${percent(score.chance)}`}>
      <b style={{ left: x(score.interval[0]), width: x(score.interval[1] - score.interval[0]) }} />
      <em style={{ left: x(score.chance) }} />
      <u style={{ left: x(score.accuracy) }} />
    </span>
  );
}

/** Share of cells whose 95 % interval lies above chance when nothing is known: one tail. */
const LUCK = 0.025;

/** IQ tests of each stage of the grown runs that were examined. */
export function IqScores({ arms, leftOut }: { arms: readonly ReportArm[]; leftOut: string }) {
  const all = arms.filter((arm) => arm.stages.some((stage) => stage.iq.length > 0));
  if (all.length === 0) return null;
  const firstSeed = Math.min(...all.map((arm) => arm.seed));
  const shown = all.filter((arm) => arm.growths.length > 0 && arm.seed === firstSeed);
  const others = all.filter((arm) => !shown.includes(arm));
  const cells = all.flatMap((arm) => arm.stages.flatMap((stage) => stage.iq));
  const above = cells.filter((score) => !score.atFloor);
  return (
    <section id="iq">
      <h2>IQ tests, stage by stage</h2>
      <p>
        <b>
          {above.length} of {cells.length} cells lie above chance
        </b>
        , where about {Math.round(LUCK * cells.length)} would by luck alone.{above.length <= 2 * LUCK * cells.length && " At this scale the tests tell no stage and no arm apart."}
      </p>
      <p>
        Bands are 95 % Wilson intervals; the tick is chance. A cell whose interval contains chance is greyed and marked{" "}
        <em>at floor</em>: it says nothing about ability. The family <b>{leftOut}</b> was left out of the training text.
      </p>
      {shown.map((arm) => (
        <IqTable key={arm.id} arm={arm} />
      ))}
      {others.length > 0 && (
        <details>
          <summary>the other {others.length} runs</summary>
          {others.map((arm) => (
            <IqTable key={arm.id} arm={arm} />
          ))}
        </details>
      )}
    </section>
  );
}

/** Scores of one run: a column a stage. */
function IqTable({ arm }: { arm: ReportArm }) {
  const stages = arm.stages.filter((stage) => stage.iq.length > 0);
  const keys = [...new Set(stages.flatMap((stage) => stage.iq.map((score) => `${score.task}|${score.scoring}`)))];
  const title = `${arm.title}, seed ${arm.seed}`;
  return (
    <>
      <h3>
        {arm.title} <small>seed {arm.seed}</small>
      </h3>
      <Table
        label={`IQ tests of ${title}`}
        className="iq"
        headings={["task", "scoring", ...stages.map((stage) => stage.name)]}
        rows={keys.map((key) => {
          const [task, scoring] = key.split("|") as [string, string];
          return {
            key,
            cells: [
              task,
              scoring,
              ...stages.map((stage) => {
                const score = stage.iq.find((item) => item.task === task && item.scoring === scoring);
                return (
                  score && (
                    <>
                      <Interval score={score} />
                      <small>
                        {percent(score.accuracy)}
                        {score.atFloor ? " at floor" : ""}
                        {score.unseen ? " (unseen)" : ""}
                      </small>
                    </>
                  )
                );
              }),
            ],
          };
        })}
      />
    </>
  );
}

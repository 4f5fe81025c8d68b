import type { GrowthReading, TimedSchedule } from "@espalier/cost";
import { useDeferredValue, useMemo, useState } from "react";
import { compact } from "../format.ts";
import { Controls } from "./Controls.tsx";
import { LossRows } from "./LossRows.tsx";
import { flmRequest, propose, type Request, runOf, timeAll } from "./plan.ts";
import { ScheduleChart } from "./ScheduleChart.tsx";
import { Stages } from "./Stages.tsx";

const READINGS: Record<GrowthReading, string> = { lossMatching: "loss matching", transfer: "with transfer", naive: "naive" };

function attempt<T>(compute: () => T): { value: T } | { error: string } {
  try {
    return { value: compute() };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/** The whole planner: controls, a schedule whose boundaries can be dragged, its predicted loss beside every rival's. */
export function Planner() {
  const [request, setRequest] = useState<Request>(flmRequest);
  /** The reader's own schedule; absent: the best by loss matching is shown and follows the controls. */
  const [mine, setMine] = useState<TimedSchedule | null>(null);
  const { target, gpu, gpus } = useDeferredValue(request);
  const timed = useMemo(() => attempt(() => timeAll({ target, gpu, gpus })), [target, gpu, gpus]);
  const settled = useDeferredValue(request);
  const proposals = useMemo(() => ("value" in timed ? attempt(() => propose(timed.value, settled)) : timed), [timed, settled]);

  const change = (part: Partial<Request>) => {
    // Sizes and times of another cluster or target are not the reader's any more.
    if ("target" in part || "gpu" in part || "gpus" in part) setMine(null);
    setRequest({ ...request, ...part });
  };

  let body = <p className="caveat problem">{"error" in timed ? timed.error : "error" in proposals ? proposals.error : ""}</p>;
  if ("value" in timed && "value" in proposals) {
    const { best, scratch, smaller, paper, evaluations } = proposals.value;
    const schedule = mine ?? best.lossMatching;
    const yours = runOf("growth", schedule, timed.value, settled);
    const stale = settled !== request;
    body = (
      <div className={stale ? "stale" : undefined}>
        <section className="numbers" aria-label="outcome">
          <Figure label="predicted loss" value={yours.loss.lossMatching.value.toFixed(3)} note={`nats per token by loss matching; ${yours.loss.naive.value.toFixed(3)} naive, ${yours.loss.transfer.value.toFixed(3)} with transfer`} />
          <Figure label="days" value={yours.days.value.toFixed(1)} note={`${yours.days.low.toFixed(1)} to ${yours.days.high.toFixed(1)}, goodput ${timed.value.goodput.goodput.toFixed(2)}`} />
          <Figure label="dollars" value={`$${compact(yours.usd.value)}`} note={`${compact(yours.usd.low)} to ${compact(yours.usd.high)}`} />
          <Figure label="tokens" value={compact(yours.stages.reduce((sum, stage) => sum + stage.tokens, 0))} note="over all stages" />
        </section>
        <section>
          <div className="controls">
            <h2 className="bare">Schedule</h2>
            <div role="group" aria-label="set the schedule to the best by a reading of growth">
              {(Object.keys(READINGS) as GrowthReading[]).map((reading) => (
                <button key={reading} type="button" aria-pressed={schedule === best[reading] || (mine === null && reading === "lossMatching")} onClick={() => setMine(reading === "lossMatching" ? null : best[reading])}>
                  best, {READINGS[reading]}
                </button>
              ))}
            </div>
          </div>
          <p className="hint">Drag a boundary, or focus it and press the arrow keys. Width is time, height is parameters.</p>
          <ScheduleChart schedule={schedule} run={yours} onChange={setMine} />
          <Stages schedule={schedule} run={yours} sizes={timed.value.sizes} machine={timed.value.machine} onChange={setMine} />
        </section>
        <section>
          <h2>Beside its rivals, for the same money</h2>
          <p className="hint">
            Three readings of growth: every token counts; a grown model is as good as its loss; it learns as much faster or slower as the law value of its operator says (fitted to own runs, published or assumed). Lower is better. Where they disagree, nobody
            knows yet.
          </p>
          <LossRows
            entries={[
              { name: "this schedule", colour: "var(--ink)", run: yours },
              ...(mine === null ? [] : [{ name: "best by loss matching", colour: "var(--grown)", run: runOf("growth", best.lossMatching, timed.value, settled) }]),
              { name: "plain smaller model", colour: "var(--fixed)", run: smaller },
              { name: "target from scratch", colour: "var(--bar)", run: scratch },
              ...(paper ? [{ name: "FLM-101B's split", colour: "var(--tokens)", run: paper }] : []),
            ]}
          />
        </section>
        <footer>
          {timed.value.layoutsTried.toLocaleString("en")} layouts and {evaluations.toLocaleString("en")} schedules evaluated in this page by the functions of <code>@espalier/cost</code>. Losses are those of published laws on
          their own corpora; each was fitted to models far smaller than 100 billion parameters.
        </footer>
      </div>
    );
  }
  return (
    <main className="planner">
      <p className="eyebrow">Espalier · planner</p>
      <h1>What to grow, when, and what it will cost</h1>
      <div className="columns">
        <Controls request={request} onChange={change} />
        {body}
      </div>
    </main>
  );
}

function Figure({ label, value, note }: { label: string; value: string; note: string }) {
  return (
    <div>
      <span>{label}</span>
      <strong>{value}</strong>
      <small>{note}</small>
    </div>
  );
}

import type { ReproductionReport } from "@espalier/spec/run";
import type { Connection } from "../data.ts";
import { Claims, Verdicts } from "./Claims.tsx";
import { Comparisons } from "./Comparisons.tsx";
import { Facts } from "./Facts.tsx";
import { Growths } from "./Growths.tsx";
import { IqScores } from "./IqScores.tsx";
import { LossChart } from "./LossChart.tsx";
import { Trend } from "./Trend.tsx";

/** Sections that this report has, for the list of contents. */
function contents({ comparisons, arms, axisProbes, trend, claims }: ReproductionReport): readonly (readonly [string, string])[] {
  const entries: readonly (readonly [string, string, boolean])[] = [
    ["controls", "controls", comparisons.length > 0 || arms.some((arm) => arm.role !== "pilot")],
    ["growths", "growth", axisProbes.length > 0 || arms.some((arm) => arm.role !== "pilot" && arm.growths.length > 0)],
    ["iq", "IQ tests", arms.some((arm) => arm.stages.some((stage) => stage.iq.length > 0))],
    ["trend", "trend", trend.length > 0],
    ["claims", "claims", claims.length > 0],
    ["made", "how it was made", true],
  ];
  return entries.flatMap(([id, title, present]) => (present ? [[id, title] as const] : []));
}

/** The whole page, in the order a sceptical reader asks: what came out, against what, how sure, at what cost. */
export function Report({ report, connection }: { report: ReproductionReport; connection: Connection }) {
  const finished = report.arms.length;
  return (
    <main>
      <p className="eyebrow">
        Espalier · FLM-101B (arXiv 2309.03852) at the scale of this machine
        {report.scale === "smoke" && " · smoke run: it shows that everything works, and proves nothing"}
      </p>
      {connection !== "none" && (
        <p className={`status ${connection}`} role="status">
          <i aria-hidden="true" /> {connection === "live" ? "live" : "connection lost, trying again"} · {finished} {finished === 1 ? "run" : "runs"} finished ·{" "}
          {report.minutesTaken.toFixed(1)} of {report.minutesAsked} minutes
        </p>
      )}
      <h1>{report.headline}</h1>
      <p className="caveat">{report.caveat}</p>
      <Verdicts claims={report.claims} />
      <LossChart arms={report.arms} />
      <nav aria-label="contents">
        {contents(report).map(([id, title]) => (
          <a key={id} href={`#${id}`}>
            {title}
          </a>
        ))}
      </nav>
      <Comparisons report={report} />
      <Growths arms={report.arms} probes={report.axisProbes} />
      <IqScores arms={report.arms} leftOut={report.corpus.leftOut} />
      <Trend report={report} />
      <Claims claims={report.claims} />
      <Facts report={report} />
      <footer>
        Written {new Date(report.createdAt).toUTCString()} · seed {report.seed} · every number of this page is in{" "}
        <code>report.json</code> beside it
      </footer>
    </main>
  );
}

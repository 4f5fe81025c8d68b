import type { ReproductionReport } from "@espalier/spec/run";
import { Claims } from "./Claims.tsx";
import { Comparisons } from "./Comparisons.tsx";
import { Facts } from "./Facts.tsx";
import { Growths } from "./Growths.tsx";
import { IqScores } from "./IqScores.tsx";
import { LossChart } from "./LossChart.tsx";
import { Trend } from "./Trend.tsx";

/** The whole page, in the order a sceptical reader asks: what came out, against what, how sure, at what cost. */
export function Report({ report, live }: { report: ReproductionReport; live: boolean }) {
  return (
    <main>
      <p className="eyebrow">
        Espalier · FLM-101B (arXiv 2309.03852) at the scale of this machine
        {live && <span className="live"> live</span>}
      </p>
      <h1>{report.headline}</h1>
      <LossChart arms={report.arms} />
      <p className="caveat">{report.caveat}</p>
      <Comparisons report={report} />
      <Growths arms={report.arms} probes={report.axisProbes} />
      <IqScores arms={report.arms} leftOut={report.corpus.leftOut} />
      <Trend report={report} />
      <Claims claims={report.claims} totals={report.claimTotals} />
      <Facts report={report} />
      <footer>
        Written {new Date(report.createdAt).toUTCString()} · seed {report.seed} · every number of this page is in{" "}
        <code>report.json</code> beside it
      </footer>
    </main>
  );
}

import * as Plot from "@observablehq/plot";
import type { ReproductionReport } from "@espalier/spec/run";
import { useEffect, useRef } from "react";

/** Published gains of growth over a tuned control against compute, with this run's point. */
export function Trend({ report }: { report: ReproductionReport }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (report.trend.length === 0) return;
    const chart = Plot.plot({
      width: host.current!.clientWidth,
      height: 280,
      marginLeft: 52,
      style: { fontSize: "13px", background: "transparent" },
      x: { type: "log", label: "training FLOPs" },
      y: { label: "equal-loss multiplier", grid: true },
      marks: [
        Plot.ruleY([1], { stroke: "var(--muted)" }),
        Plot.dot(report.trend, { x: "flops", y: "multiplier", r: 5, fill: (d) => (d.ours ? "var(--grown)" : "var(--muted)"), title: "name", tip: true }),
      ],
    });
    host.current!.replaceChildren(chart);
    return () => chart.remove();
  }, [report]);
  if (report.trend.length === 0) return null;
  return (
    <section>
      <h2>On the published trend</h2>
      <p>Grey: plain late depth growth over a tuned deep control (arXiv 2609.19107). Green: this run. Below 1 growth loses.</p>
      <div ref={host} className="chart" />
    </section>
  );
}

import * as Plot from "@observablehq/plot";
import type { ReproductionReport } from "@espalier/spec/run";
import { scientific } from "../format.ts";
import { usePlot } from "./usePlot.ts";

/** How far this run is from the published ones, where that is far. */
function gap(trend: ReproductionReport["trend"]): string {
  const flops = (ours: boolean) => trend.filter((row) => row.ours === ours).map((row) => row.flops);
  const decades = Math.floor(Math.log10(Math.min(...flops(false)) / Math.max(...flops(true))));
  return Number.isFinite(decades) && decades >= 1 ? ` Between them lie ${decades} ${decades === 1 ? "decade" : "decades"} of compute: the points are not one curve.` : "";
}

/** Published gains of growth over a tuned control against compute, with this run's point. */
export function Trend({ report }: { report: ReproductionReport }) {
  const host = usePlot((width) => {
    const chart = Plot.plot({
      width,
      height: 300,
      marginBottom: 46,
      marginLeft: 52,
      style: { fontSize: "13px", background: "transparent" },
      x: { type: "log", label: "training FLOPs", labelOffset: 42, inset: 8, ticks: width < 720 ? 4 : 8, tickFormat: (value: number) => scientific(value, 1) },
      y: { label: "equal-loss multiplier", grid: true, inset: 6 },
      marks: [
        Plot.ruleY([1], { stroke: "var(--muted)" }),
        Plot.dot(report.trend, { x: "flops", y: "multiplier", r: 5, fill: (d) => (d.ours ? "var(--grown)" : "var(--muted)"), title: "name", tip: true }),
      ],
    });
    chart.setAttribute("role", "img");
    chart.setAttribute("aria-label", report.trend.map(({ name, flops, multiplier }) => `${name}: ${multiplier.toFixed(2)} at ${scientific(flops)} FLOPs`).join("; "));
    return chart;
  }, [report.trend]);
  if (report.trend.length === 0) return null;
  return (
    <section id="trend">
      <h2>On the published trend</h2>
      <p>Grey: plain late depth growth over a tuned deep control (arXiv 2609.19107). Green: this run, against the same shape from scratch. Below 1 growth loses.{gap(report.trend)}</p>
      <div ref={host} className="chart" />
    </section>
  );
}

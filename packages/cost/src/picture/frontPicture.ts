import type { ClusterPlan, ClusterRun } from "../cluster/clusterPlan.ts";
import { escapeXml, svgDocument, svgText } from "./svg.ts";

const WIDTH = 860;
const HEIGHT = 460;
const MARGIN = { left: 64, right: 24, top: 64, bottom: 84 };

const COLOURS: Record<ClusterRun["kind"], string> = { growth: "--c1", scratch: "--c2", smaller: "--c0", incumbent: "--c3" };
const LABELS: Record<ClusterRun["kind"], string> = { growth: "growth to the target", scratch: "target from scratch", smaller: "plain smaller model", incumbent: "the schedule compared with" };

/** Ticks of a logarithmic axis: 1, 2 and 5 times powers of ten. */
function logTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const m of [1, 2, 5]) if (m * 10 ** power >= low && m * 10 ** power <= high) ticks.push(m * 10 ** power);
  }
  return ticks;
}

/** The Pareto front of a plan: dollars against predicted loss by loss matching, days as size, with rivals and incumbent. */
export function frontPicture(title: string, plan: Pick<ClusterPlan, "front" | "rivals" | "best">): string {
  const { incumbent, scratch, smaller } = plan.rivals;
  const runs = [...new Set([...plan.front, plan.best.lossMatching, scratch, smaller, ...(incumbent ? [incumbent] : [])])];
  const usd = runs.map((run) => run.usd.value);
  const losses = runs.map((run) => run.loss.lossMatching.value);
  const [xLow, xHigh] = [Math.min(...usd) / 1.25, Math.max(...usd) * 1.25];
  const pad = Math.max(0.005, 0.06 * (Math.max(...losses) - Math.min(...losses)));
  const [yLow, yHigh] = [Math.min(...losses) - pad, Math.max(...losses) + pad];
  const x = (v: number) => MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * Math.log(v / xLow)) / Math.log(xHigh / xLow);
  const y = (v: number) => MARGIN.top + ((HEIGHT - MARGIN.top - MARGIN.bottom) * (yHigh - v)) / (yHigh - yLow);
  const marks = [svgText(MARGIN.left, 34, title, { class: "title" })];
  for (const tick of logTicks(xLow, xHigh)) {
    marks.push(`<line class="axis" x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}"/>`, svgText(x(tick), HEIGHT - MARGIN.bottom + 18, `$${tick.toLocaleString("en")}`, { class: "muted", anchor: "middle" }));
  }
  for (let i = 0; i <= 5; i++) {
    const value = yLow + ((yHigh - yLow) * i) / 5;
    marks.push(`<line class="axis" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/>`, svgText(MARGIN.left - 8, y(value) + 4, value.toFixed(3), { class: "muted", anchor: "end" }));
  }
  const longest = Math.max(...runs.map((run) => run.days.value));
  for (const run of runs) {
    const sizes = run.stages.map((stage) => `${(stage.parameters / 1e9).toPrecision(3)}B on ${(stage.tokens / 1e9).toPrecision(3)}B tokens`).join(", then ");
    const r = 4 + 7 * Math.sqrt(run.days.value / longest);
    marks.push(`<circle cx="${x(run.usd.value).toFixed(1)}" cy="${y(run.loss.lossMatching.value).toFixed(1)}" r="${r.toFixed(1)}" fill="var(${COLOURS[run.kind]})" fill-opacity="0.75" stroke="var(--paper)"><title>${escapeXml(`${LABELS[run.kind]}, ${run.numGpus} GPUs, ${run.days.value.toFixed(1)} days, $${Math.round(run.usd.value).toLocaleString("en")}, loss ${run.loss.lossMatching.value.toFixed(3)}: ${sizes}`)}</title></circle>`);
  }
  const kinds = [...new Set(runs.map((run) => run.kind))];
  kinds.forEach((kind, i) => marks.push(`<circle cx="${MARGIN.left + 6 + i * 185}" cy="${HEIGHT - 44}" r="6" fill="var(${COLOURS[kind]})"/>`, svgText(MARGIN.left + 18 + i * 185, HEIGHT - 40, LABELS[kind])));
  marks.push(svgText(MARGIN.left, HEIGHT - 16, "predicted loss by loss matching, nats per token, against dollars; larger circles take more days", { class: "muted" }));
  return svgDocument(WIDTH, HEIGHT, title, marks);
}

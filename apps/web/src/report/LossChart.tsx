import * as Plot from "@observablehq/plot";
import type { ArmRole, CurvePoint, ReportArm } from "@espalier/spec/run";
import { useState } from "react";
import { compact, duration, loss, scientific } from "../format.ts";
import { isBestShape } from "./bestShape.ts";
import { endLabels } from "./endLabels.ts";
import { roles } from "./roles.ts";
import { usePlot } from "./usePlot.ts";

type Axis = "flops" | "tokens" | "seconds" | "usd";

const axes: Record<Axis, { button: string; label: string; tick: (value: number) => string }> = {
  flops: { button: "FLOPs", label: "training FLOPs, all stages and growths included", tick: (value) => scientific(value, 1) },
  tokens: { button: "tokens", label: "tokens trained", tick: compact },
  seconds: { button: "seconds", label: "seconds of one thread", tick: duration },
  usd: { button: "dollars", label: "dollars (time × the machine's price; see the assumptions below)", tick: (value) => value.toPrecision(2) },
};

const HEIGHT = 460;
const MARGIN_BOTTOM = 50;
const MARGIN_TOP = 28;
/** Below this width, in pixels, names at the ends of lines leave no room for the lines. */
const WIDE = 720;

/** Position of a point of an arm on an axis. Dollars are the arm's own rate times its seconds. */
function position(arm: ReportArm, point: Pick<CurvePoint, "tokens" | "flops" | "seconds">, axis: Axis): number {
  return axis === "usd" ? (arm.usd / Math.max(arm.seconds, 1e-9)) * point.seconds : point[axis];
}

function draw(shown: readonly ReportArm[], axis: Axis, width: number): Element {
  const isSweep = (arm: ReportArm) => arm.id.startsWith("fixed/") && !arm.id.startsWith("fixed/best") && !isBestShape(arm, shown);
  const points = shown.flatMap((arm) =>
    arm.curve.map((point) => ({ arm: arm.id, title: `${arm.title}, seed ${arm.seed}`, role: arm.role, thin: arm.role === "pilot" || isSweep(arm), x: position(arm, point, axis), loss: point.loss })),
  );
  const growths = shown.flatMap((arm) =>
    arm.growths.map((growth) => ({ arm: arm.id, role: arm.role, x: position(arm, growth, axis), loss: growth.lossBefore, operators: growth.operators })),
  );
  const ends = shown.map((arm) => ({ title: arm.title, role: arm.role, thin: isSweep(arm), x: position(arm, arm.curve.at(-1)!, axis), loss: arm.finalLoss }));
  const highest = Math.max(...ends.map((end) => end.loss));
  const lowest = Math.min(...points.map((point) => point.loss), ...ends.map((end) => end.loss));
  // The first steps fall from log V; they would flatten everything that matters.
  const domain = [lowest - 0.05, highest + 1.5 * Math.max(highest - lowest, 0.15)] as const;
  const colour = (role: ArmRole) => roles[role].colour;
  const isLog = axis === "flops" || axis === "tokens";
  const wide = width >= WIDE;
  const labels = wide ? endLabels(ends.filter(({ role, thin }) => role !== "pilot" && !thin), domain, HEIGHT - MARGIN_BOTTOM - MARGIN_TOP) : [];
  const lines = [...new Set(points.map(({ role }) => role))].map((role) =>
    Plot.line(points.filter((point) => point.role === role && point.loss <= domain[1] * 1.2), {
      x: "x",
      y: "loss",
      z: "arm",
      stroke: colour(role),
      strokeWidth: (d) => (d.thin ? 0.7 : role.startsWith("growth") ? 2.2 : 1.5),
      strokeDasharray: roles[role].dash ?? "none",
      clip: true,
    }),
  );
  const chart = Plot.plot({
    width,
    height: HEIGHT,
    marginLeft: 52,
    marginTop: MARGIN_TOP,
    marginRight: wide ? 244 : 24,
    marginBottom: MARGIN_BOTTOM,
    style: { fontSize: "13px", background: "transparent" },
    x: { type: isLog ? "log" : "linear", label: axes[axis].label, labelOffset: 44, tickFormat: axes[axis].tick, ticks: wide ? 6 : isLog ? 1 : 3 },
    y: { label: "validation loss, nats per token", domain: [...domain], grid: true },
    marks: [
      ...lines,
      Plot.dot(growths, { x: "x", y: "loss", r: 5.5, fill: "var(--paper)", stroke: (d) => colour(d.role), strokeWidth: 2, title: (d) => `${d.arm} grows: ${Object.entries(d.operators).map(([a, o]) => `${a} ${o}`).join(", ")}` }),
      Plot.dot(ends, { x: "x", y: "loss", r: (d) => (d.thin ? 2.5 : 4), fill: (d) => colour(d.role), title: (d) => `${d.title}: ${loss(d.loss)}` }),
      Plot.text(labels, { frameAnchor: "right", y: "y", dx: 12, textAnchor: "start", text: (d) => `${roles[d.role as ArmRole].label} ${d.mean.toFixed(3)}`, fill: (d) => colour(d.role), fontWeight: 600, fontSize: 12 }),
      Plot.tip(points, Plot.pointer({ x: "x", y: "loss", title: (d) => `${d.title}\nloss ${loss(d.loss)}` })),
    ],
  });
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", `Validation loss against ${axes[axis].label}. Loss at the end: ${ends.map((end) => `${end.title} ${loss(end.loss)}`).join("; ")}`);
  return chart;
}

/** Validation loss of every finished arm, growth events marked, against the chosen axis. */
export function LossChart({ arms }: { arms: readonly ReportArm[] }) {
  const [axis, setAxis] = useState<Axis>("flops");
  const [wantsPilots, setPilots] = useState(false);
  const drawn = arms.filter((arm) => arm.curve.length > 0);
  const onlyPilots = drawn.every((arm) => arm.role === "pilot");
  const pilots = wantsPilots || onlyPilots;
  const shown = drawn.filter((arm) => pilots || arm.role !== "pilot");
  const host = usePlot((width) => (shown.length > 0 ? draw(shown, axis, width) : undefined), [arms, axis, pilots]);
  if (drawn.length === 0) return <p className="caveat">No run has finished yet; the curves appear here one by one.</p>;

  const present = [...new Set(shown.map((arm) => arm.role))];
  return (
    <figure>
      <div className="controls">
        <div role="group" aria-label="horizontal axis">
          {(Object.keys(axes) as Axis[]).map((key) => (
            <button key={key} type="button" aria-pressed={axis === key} onClick={() => setAxis(key)}>
              {axes[key].button}
            </button>
          ))}
        </div>
        <label>
          <input type="checkbox" checked={pilots} disabled={onlyPilots} onChange={(event) => setPilots(event.target.checked)} /> show pilots
        </label>
      </div>
      <div ref={host} className="chart" />
      <figcaption>
        {present.map((role) => (
          <span key={role} className="key">
            <svg className="stroke" viewBox="0 0 26 4" aria-hidden="true">
              <line x1="0" x2="26" y1="2" y2="2" stroke={roles[role].colour} strokeWidth="2.5" strokeDasharray={roles[role].dash} />
            </svg>{" "}
            {roles[role].label} <small>({roles[role].says})</small>
          </span>
        ))}
        <span className="key">
          <i className="ring" /> a growth
        </span>
        <span className="key">
          <i className="end" /> the end of a run <small>(over more validation text than its curve); one line and one dot a seed, named with their mean</small>
        </span>
      </figcaption>
    </figure>
  );
}

import * as Plot from "@observablehq/plot";
import type { ArmRole, CurvePoint, ReportArm } from "@espalier/spec/run";
import { useEffect, useRef, useState } from "react";
import { compact, duration, scientific } from "../format.ts";
import { roles } from "./roles.ts";

type Axis = "flops" | "tokens" | "seconds" | "usd";

const axes: Record<Axis, { button: string; label: string }> = {
  flops: { button: "FLOPs", label: "training FLOPs, all stages and growths included" },
  tokens: { button: "tokens", label: "tokens trained" },
  seconds: { button: "seconds", label: "seconds of one thread" },
  usd: { button: "dollars", label: "dollars (time × the machine's price; see the assumptions below)" },
};

/** Position of a point of an arm on an axis. Dollars are the arm's own rate times its seconds. */
function position(arm: ReportArm, point: Pick<CurvePoint, "tokens" | "flops" | "seconds">, axis: Axis): number {
  return axis === "usd" ? (arm.usd / Math.max(arm.seconds, 1e-9)) * point.seconds : point[axis];
}

/** Validation loss of every finished arm, growth events marked, against the chosen axis. */
export function LossChart({ arms }: { arms: readonly ReportArm[] }) {
  const [axis, setAxis] = useState<Axis>("flops");
  const [pilots, setPilots] = useState(false);
  const host = useRef<HTMLDivElement>(null);
  const shown = arms.filter((arm) => arm.curve.length > 0 && (pilots || arm.role !== "pilot"));

  useEffect(() => {
    const points = shown.flatMap((arm) =>
      arm.curve.map((point) => ({ arm: arm.id, title: arm.title, role: arm.role, x: position(arm, point, axis), loss: point.loss })),
    );
    const growths = shown.flatMap((arm) =>
      arm.growths.map((growth) => ({ arm: arm.id, role: arm.role, x: position(arm, growth, axis), loss: growth.lossBefore, operators: growth.operators })),
    );
    const ends = shown.map((arm) => {
      const last = arm.curve.at(-1)!;
      return { title: arm.title, role: arm.role, x: position(arm, last, axis), loss: arm.finalLoss };
    });
    const highest = Math.max(...ends.map((end) => end.loss));
    const lowest = Math.min(...points.map((point) => point.loss));
    // The first steps fall from log V; they would flatten everything that matters.
    const top = highest + 1.5 * Math.max(highest - lowest, 0.15);
    const colour = (role: ArmRole) => roles[role].colour;
    const chart = Plot.plot({
      width: host.current!.clientWidth,
      height: 460,
      marginLeft: 52,
      marginRight: 24,
      marginBottom: 50,
      style: { fontSize: "13px", background: "transparent" },
      x: { type: axis === "flops" || axis === "tokens" ? "log" : "linear", label: axes[axis].label, labelOffset: 44, tickFormat: (value: number) => (axis === "seconds" ? duration(value) : axis === "usd" ? value.toPrecision(2) : axis === "flops" ? scientific(value, 1) : compact(value)), ticks: 6 },
      y: { label: "validation loss, nats per token", domain: [lowest - 0.05, top], grid: true },
      marks: [
        Plot.line(points, { x: "x", y: "loss", z: "arm", stroke: (d) => colour(d.role), strokeWidth: (d) => (d.role === "pilot" ? 0.75 : 1.75), clip: true, filter: (d) => d.loss <= top * 1.2 }),
        Plot.dot(growths, { x: "x", y: "loss", r: 5.5, fill: "var(--paper)", stroke: (d) => colour(d.role), strokeWidth: 2, title: (d) => `${d.arm} grows: ${Object.entries(d.operators).map(([a, o]) => `${a} ${o}`).join(", ")}` }),
        Plot.dot(ends, { x: "x", y: "loss", r: 4, fill: (d) => colour(d.role), title: (d) => `${d.title}: ${d.loss.toFixed(4)}` }),
        Plot.tip(points, Plot.pointer({ x: "x", y: "loss", title: (d) => `${d.title}\nloss ${d.loss.toFixed(4)}` })),
      ],
    });
    host.current!.replaceChildren(chart);
    return () => chart.remove();
  }, [shown, axis]);

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
          <input type="checkbox" checked={pilots} onChange={(event) => setPilots(event.target.checked)} /> show pilots
        </label>
      </div>
      <div ref={host} className="chart" />
      <figcaption>
        {present.map((role) => (
          <span key={role} className="key">
            <i style={{ background: roles[role].colour }} /> {roles[role].label} <small>({roles[role].says})</small>
          </span>
        ))}
        <span className="key">
          <i className="ring" /> a growth
        </span>
        <span className="key">
          <i className="end" /> the end of a run <small>(over more validation text than its curve)</small>
        </span>
      </figcaption>
    </figure>
  );
}

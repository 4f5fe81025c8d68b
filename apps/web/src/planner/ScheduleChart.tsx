import type { ClusterRun, TimedSchedule } from "@espalier/cost";
import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import { compact } from "../format.ts";

export const STAGE_COLOURS = ["var(--hop)", "var(--grown)", "var(--fixed)"];

/** Least share of the time of a stage that a boundary can be dragged to. */
const LEAST = 0.02;
/** Share of the width that the label of a day needs on a narrow screen. */
const LABEL = 0.17;
const WIDTH = 1000;
const HEIGHT = 320;
const TOP = 26;
const BOTTOM = 34;

/** Parameters over time, a step a stage; boundaries move time between neighbours. */
export function ScheduleChart({ schedule, run, onChange }: { schedule: TimedSchedule; run: ClusterRun; onChange: (schedule: TimedSchedule) => void }) {
  const svg = useRef<SVGSVGElement>(null);
  const largest = Math.max(...run.stages.map((stage) => stage.parameters));
  const days = run.days.value;
  const starts = schedule.shares.map((_, i) => schedule.shares.slice(0, i).reduce((a, b) => a + b, 0));
  /** Square root: a stage of a hundredth of the parameters is still a tenth of the height. */
  const y = (parameters: number) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * Math.sqrt(parameters / largest);

  const moveTo = (boundary: number, at: number) => {
    const low = starts[boundary]! + LEAST;
    const high = starts[boundary]! + schedule.shares[boundary]! + schedule.shares[boundary + 1]! - LEAST;
    const where = Math.min(Math.max(at, low), high);
    const shares = [...schedule.shares];
    const both = shares[boundary]! + shares[boundary + 1]!;
    shares[boundary] = where - starts[boundary]!;
    shares[boundary + 1] = both - shares[boundary]!;
    onChange({ chain: schedule.chain, shares });
  };
  const onPointer = (boundary: number) => (event: PointerEvent<SVGGElement>) => {
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    else if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = svg.current!.getBoundingClientRect();
    moveTo(boundary, (event.clientX - box.left) / box.width);
  };
  const onKey = (boundary: number) => (event: KeyboardEvent) => {
    const step = { ArrowLeft: -0.01, ArrowRight: 0.01, PageDown: -0.05, PageUp: 0.05 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    moveTo(boundary, starts[boundary + 1]! + step);
  };

  return (
    <figure className="schedule">
      <svg ref={svg} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-label={`schedule of ${run.stages.length} stages over ${days.toFixed(1)} days`} role="group">
        <line className="base" x1={0} x2={WIDTH} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} />
        {run.stages.map((stage, i) => (
          <rect key={i} x={WIDTH * starts[i]!} width={WIDTH * schedule.shares[i]!} y={y(stage.parameters)} height={HEIGHT - BOTTOM - y(stage.parameters)} fill={STAGE_COLOURS[i % STAGE_COLOURS.length]} />
        ))}
        {schedule.chain.slice(1).map((_, boundary) => {
          const x = WIDTH * starts[boundary + 1]!;
          return (
            <g
              key={boundary} className="boundary" role="slider" tabIndex={0} aria-label={`growth from ${compact(run.stages[boundary]!.parameters)} to ${compact(run.stages[boundary + 1]!.parameters)} parameters`}
              aria-valuemin={0} aria-valuemax={Number(days.toFixed(1))} aria-valuenow={Number((days * starts[boundary + 1]!).toFixed(1))} aria-valuetext={`day ${(days * starts[boundary + 1]!).toFixed(1)}`}
              onPointerDown={onPointer(boundary)} onPointerMove={onPointer(boundary)} onKeyDown={onKey(boundary)}
            >
              <rect className="grip" x={x - 16} width={32} y={0} height={HEIGHT - BOTTOM} />
              <line x1={x} x2={x} y1={TOP / 2} y2={HEIGHT - BOTTOM} />
              <rect className="handle" x={x - 4} width={8} y={HEIGHT / 2 - 40} height={44} rx={4} />
            </g>
          );
        })}
      </svg>
      {/* Text stays outside of the stretched picture. */}
      {run.stages.map((stage, i) => (
        <span key={i} className="stage-label" style={{ left: `min(${100 * (starts[i]! + schedule.shares[i]! / 2)}%, 100% - 1.6rem)`, top: `${(100 * y(stage.parameters)) / HEIGHT}%` }}>
          {schedule.shares[i]! > 0.07 && compact(stage.parameters)}
        </span>
      ))}
      {schedule.chain.slice(1).map((_, boundary) => (
        <span key={boundary} className={starts[boundary + 1]! - starts[boundary]! < LABEL && boundary > 0 ? "day-label below" : "day-label"} style={{ left: `clamp(1.8rem, ${100 * starts[boundary + 1]!}%, 100% - 1.8rem)` }}>
          day {(days * starts[boundary + 1]!).toFixed(1)}
        </span>
      ))}
      {schedule.chain.length > 1 && starts[1]! < LABEL ? null : <span className="day-label first">start</span>}
      {schedule.chain.length > 1 && schedule.shares.at(-1)! < LABEL ? null : <span className="day-label last">day {days.toFixed(1)}</span>}
    </figure>
  );
}

import { type Cluster, type ClusterLayout, type ClusterRun, growsInto, predictClusterMemory, type TimedSchedule, type TimedSize } from "@espalier/cost";
import { bytes, compact, duration, percent } from "../format.ts";
import { STAGE_COLOURS } from "./ScheduleChart.tsx";

const shape = ({ model }: TimedSize) => `${model.numLayers} × ${model.residualDim}`;

function describe(l: ClusterLayout): string {
  const degrees = [`tensor ${l.tensor}`, `pipeline ${l.pipeline}`, ...(l.context > 1 ? [`context ${l.context}`] : []), `data ${l.data}`];
  const kind = l.pipeline === 1 ? "" : l.schedule === "zeroBubble" ? ", zero-bubble" : l.schedule === "interleaved" ? `, interleaved × ${l.virtualStages}` : ", 1F1B";
  return `${degrees.join(" · ")}${kind}, micro-batch ${l.microBatchSize}${l.recompute === "none" ? "" : `, recompute ${l.recompute}`}${l.sharding === "full" ? ", fully sharded" : ""}`;
}

/** One row a stage: its size, which can be changed, what it trains on, its layout and how full the GPUs are. */
export function Stages({ schedule, run, sizes, machine, onChange }: {
  schedule: TimedSchedule;
  run: ClusterRun;
  sizes: readonly TimedSize[];
  machine: Cluster;
  onChange: (schedule: TimedSchedule) => void;
}) {
  /** Sizes that keep the chain growing. */
  const choices = (i: number) =>
    sizes.filter((size) => (i === 0 || growsInto(schedule.chain[i - 1]!.model, size.model)) && (i === schedule.chain.length - 1 ? size === schedule.chain[i] : growsInto(size.model, schedule.chain[i + 1]!.model)));
  return (
    <div className="wide">
      <table className="stages">
        <thead>
          <tr>
            <th>stage</th>
            <th>size</th>
            <th>grown by</th>
            <th>tokens</th>
            <th>time</th>
            <th>step</th>
            <th>fastest layout that fits</th>
            <th>memory</th>
          </tr>
        </thead>
        <tbody>
          {run.stages.map((stage, i) => {
            const memory = predictClusterMemory(stage.model, stage.layout, machine);
            return (
              <tr key={i}>
                <td data-label="stage">
                  <i className="dot" style={{ background: STAGE_COLOURS[i % STAGE_COLOURS.length] }} /> {i + 1}
                </td>
                <td data-label="size">
                  {i === schedule.chain.length - 1 ? (
                    `${compact(stage.parameters)} (${shape(schedule.chain[i]!)})`
                  ) : (
                    <select
                      aria-label={`size of stage ${i + 1}`} value={shape(schedule.chain[i]!)}
                      onChange={(event) => {
                        const size = choices(i).find((choice) => shape(choice) === event.target.value)!;
                        onChange({ chain: schedule.chain.map((old, k) => (k === i ? size : old)), shares: schedule.shares });
                      }}
                    >
                      {choices(i).map((size) => (
                        <option key={shape(size)} value={shape(size)}>
                          {compact(size.parameters)} ({shape(size)})
                        </option>
                      ))}
                    </select>
                  )}
                </td>
                <td data-label="grown by" title={stage.grownBy?.source}>
                  {stage.grownBy ? (
                    <span>
                      {stage.grownBy.operator} <small>{stage.grownBy.basis}</small>
                    </span>
                  ) : (
                    "from scratch"
                  )}
                </td>
                <td data-label="tokens">{compact(stage.tokens)}</td>
                <td data-label="time">
                  <span>
                    {stage.days.toFixed(1)} days <small>{percent(schedule.shares[i]!)}</small>
                  </span>
                </td>
                <td data-label="step">{stage.stepSeconds < 10 ? `${stage.stepSeconds.toFixed(1)} s` : duration(stage.stepSeconds)}</td>
                <td data-label="layout" className="layout">{describe(stage.layout)}</td>
                <td data-label="memory">
                  <span title={`fullest GPU: ${bytes(memory.peakBytes)} of ${bytes(memory.deviceBytes)}`}>
                    <span className="memory">
                      <b style={{ width: `${100 * Math.min(1, memory.peakBytes / memory.deviceBytes)}%` }} />
                    </span>
                    <small>{percent(memory.peakBytes / memory.deviceBytes)}</small>
                  </span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

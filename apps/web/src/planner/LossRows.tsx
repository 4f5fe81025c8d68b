import type { ClusterRun, GrowthReading } from "@espalier/cost";

const ROWS: readonly { reading: GrowthReading; label: string }[] = [
  { reading: "naive", label: "naive" },
  { reading: "lossMatching", label: "loss matching" },
  { reading: "transfer", label: "with transfer" },
];

export interface Entry {
  name: string;
  colour: string;
  run: ClusterRun;
}

/** A row a reading of growth, a mark a run, at its predicted loss; one scale, so that readings can be compared. */
export function LossRows({ entries }: { entries: readonly Entry[] }) {
  const losses = entries.flatMap(({ run }) => ROWS.map(({ reading }) => run.loss[reading].value));
  const pad = Math.max(0.004, 0.08 * (Math.max(...losses) - Math.min(...losses)));
  const [low, high] = [Math.min(...losses) - pad, Math.max(...losses) + pad];
  const at = (loss: number) => `${(100 * (loss - low)) / (high - low)}%`;
  const ticks = Array.from({ length: 5 }, (_, i) => low + ((high - low) * (i + 0.5)) / 5);
  return (
    <figure className="losses">
      {ROWS.map(({ reading, label }) => (
        <div key={reading} className="loss-row">
          <span>{label}</span>
          <div className="track">
            {ticks.map((tick) => (
              <u key={tick} style={{ left: at(tick) }} />
            ))}
            {entries.map(({ name, colour, run }) => (
              <i key={name} style={{ left: at(run.loss[reading].value), background: colour }} title={`${name}: ${run.loss[reading].value.toFixed(4)} (${run.loss[reading].low.toFixed(3)} to ${run.loss[reading].high.toFixed(3)} over three sets of constants)`} />
            ))}
          </div>
        </div>
      ))}
      <div className="loss-row scale" aria-hidden="true">
        <span>nats per token</span>
        <div className="track">
          {ticks.map((tick) => (
            <em key={tick} style={{ left: at(tick) }}>
              {tick.toFixed(3)}
            </em>
          ))}
        </div>
      </div>
      <div className="wide">
        <table>
          <thead>
            <tr>
              <th>run</th>
              {ROWS.map(({ reading, label }) => (
                <th key={reading}>{label}</th>
              ))}
              <th>days</th>
              <th>stages: parameters on tokens</th>
            </tr>
          </thead>
          <tbody>
            {entries.map(({ name, colour, run }) => (
              <tr key={name}>
                <td data-label="">
                  <i className="dot" style={{ background: colour }} /> {name}
                </td>
                {ROWS.map(({ reading, label }) => (
                  <td key={reading} data-label={label}>{run.loss[reading].value.toFixed(3)}</td>
                ))}
                <td data-label="days">{run.days.value.toFixed(1)}</td>
                <td data-label="stages">{run.stages.map((stage) => `${(stage.parameters / 1e9).toPrecision(3)}B on ${(stage.tokens / 1e9).toPrecision(3)}B`).join(" → ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

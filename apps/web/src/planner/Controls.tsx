import { clusterDeviceRows, clusterModelRows } from "@espalier/cost";
import { compact } from "../format.ts";
import { flmRequest, type Request, usualPrice } from "./plan.ts";

/** Positions of a slider between two ends, evenly spaced in the logarithm. */
const STEPS = 200;

function LogSlider({ label, value, low, high, shown, onChange }: { label: string; value: number; low: number; high: number; shown: string; onChange: (value: number) => void }) {
  const position = (STEPS * Math.log(value / low)) / Math.log(high / low);
  return (
    <label className="slider">
      <span>
        {label} <output>{shown}</output>
      </span>
      <input
        type="range" min={0} max={STEPS} value={Math.round(position)} aria-valuetext={shown} aria-label={label}
        onChange={(event) => onChange(low * (high / low) ** (Number(event.target.value) / STEPS))}
      />
    </label>
  );
}

/** Cluster sizes that nodes of eight make up and that divide well. */
const GPU_COUNTS = [8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024];

/** Two significant digits: a slider is no place for more. */
const tidy = (value: number) => Number(value.toPrecision(2));

const targets = clusterModelRows.filter(({ model }) => !model.experts).map(({ id }) => id);

/** Model, cluster, money and time. */
export function Controls({ request, onChange }: { request: Request; onChange: (part: Partial<Request>) => void }) {
  const counts = GPU_COUNTS.includes(request.gpus) ? GPU_COUNTS : [...GPU_COUNTS, request.gpus].toSorted((a, b) => a - b);
  const affordable = request.budgetUsd / (request.usdPerGpuHour * request.gpus * 24);
  return (
    <form className="inputs" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span>end at</span>
        <select value={request.target} onChange={(event) => onChange({ target: event.target.value })}>
          {targets.map((id) => (
            <option key={id}>{id}</option>
          ))}
        </select>
      </label>
      <label>
        <span>GPU</span>
        <select value={request.gpu} onChange={(event) => onChange({ gpu: event.target.value, usdPerGpuHour: usualPrice(event.target.value) })}>
          {clusterDeviceRows.map(({ id }) => (
            <option key={id}>{id}</option>
          ))}
        </select>
      </label>
      <label className="slider">
        <span>
          GPUs <output>{request.gpus}</output>
        </span>
        <input type="range" min={0} max={counts.length - 1} value={counts.indexOf(request.gpus)} aria-label="GPUs" aria-valuetext={`${request.gpus}`} onChange={(event) => onChange({ gpus: counts[Number(event.target.value)]! })} />
      </label>
      <LogSlider label="dollars a GPU-hour" value={request.usdPerGpuHour} low={0.5} high={15} shown={`$${request.usdPerGpuHour.toFixed(2)}`} onChange={(value) => onChange({ usdPerGpuHour: tidy(value) })} />
      <LogSlider label="budget" value={request.budgetUsd} low={1e3} high={1e8} shown={`$${compact(request.budgetUsd)}`} onChange={(value) => onChange({ budgetUsd: tidy(value) })} />
      <LogSlider label="deadline" value={request.deadlineDays} low={1} high={365} shown={`${request.deadlineDays} days`} onChange={(value) => onChange({ deadlineDays: tidy(value) })} />
      <p className="hint">{affordable < request.deadlineDays ? `The money ends first, after ${affordable.toFixed(1)} days.` : `The deadline ends first; the money would last ${affordable.toFixed(0)} days.`}</p>
      <button type="button" className="single" onClick={() => onChange(flmRequest)}>
        FLM-101B's own constraints
      </button>
    </form>
  );
}

import type { ReproductionReport } from "@espalier/spec/run";
import { bytes, compact, duration, percent } from "../format.ts";
import { Table } from "./Table.tsx";

/** Corpus, machine, time and cost: what somebody needs to repeat this run or to doubt it. */
export function Facts({ report }: { report: ReproductionReport }) {
  const { corpus, machine, plan, memory, cost } = report;
  return (
    <section id="made">
      <h2>How it was made</h2>
      <div className="facts">
        <dl>
          <dt>corpus</dt>
          <dd>
            {corpus.name}: {bytes(corpus.bytes)}, {corpus.documents.toLocaleString("en")} documents, {compact(corpus.trainTokens)} training
            tokens, {compact(corpus.validationTokens)} held back
          </dd>
          <dt>digest</dt>
          <dd>
            <code>{corpus.digest.slice(0, 16)}</code>
          </dd>
          <dt>tokeniser</dt>
          <dd>
            byte-level BPE, {corpus.vocabSize.toLocaleString("en")} tokens, {corpus.bytesPerToken.toFixed(2)} bytes a token
          </dd>
          <dt>procedural text</dt>
          <dd>
            {percent(corpus.proceduralShare)} of the training tokens are generated in-context tasks, from seeds disjoint from the
            tests; left out: {corpus.leftOut}
          </dd>
        </dl>
        <dl>
          <dt>machine</dt>
          <dd>
            {machine.cpu}, {machine.cores} cores, {bytes(machine.memoryBytes)}
          </dd>
          <dt>kernels</dt>
          <dd>
            {machine.instructionPath}, {machine.compiler}
          </dd>
          <dt>time</dt>
          <dd>
            {report.minutesTaken.toFixed(1)} minutes of {report.minutesAsked} asked
          </dd>
          <dt>peak memory</dt>
          <dd>
            {bytes(memory.measuredPeakBytes)} measured, {bytes(memory.predictedPeakBytes)} predicted
          </dd>
          <dt>cost</dt>
          <dd>
            {(1000 * cost.kwh).toFixed(1)} Wh, ${cost.usd.toFixed(4)}, {(1000 * cost.kgCo2e).toFixed(1)} g CO₂e
            <ul>
              {cost.assumptions.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          </dd>
        </dl>
      </div>
      <h3>Where the minutes went</h3>
      <Table
        label="Where the minutes went"
        headings={["part", "predicted", "measured"]}
        rows={plan.parts.map((part) => ({ key: part.name, cells: [part.name, duration(part.predictedSeconds), part.measuredSeconds === null ? "–" : duration(part.measuredSeconds)] }))}
      />
      {plan.dropped.length > 0 && <p>Dropped to fit the time: {plan.dropped.join("; ")}.</p>}
    </section>
  );
}

import type { SampleView } from "./format.ts";
import type { Rows } from "./rows.ts";
import type { Logs, Side } from "./useLogs.ts";
import { useSample } from "./useSample.ts";

/** One item: its prompt once, then what each model made of it. */
export function SampleDetail({ logs, rows, row, query }: { logs: Logs; rows: Rows; row: number | undefined; query: string }) {
  const [i, j] = row === undefined ? [-1, -1] : [rows.a[row]!, rows.b[row]!];
  const a = useSample(logs.a, i);
  const b = useSample(logs.b, j);
  const sample = a ?? b;
  if (!sample) return <article className="detail" />;
  const samePrompt = !a || !b || a.prompt === b.prompt;
  return (
    <article className="detail" aria-live="polite">
      <p className="key">{sample.key}</p>
      {samePrompt ? (
        <pre className="prompt">
          <Marked text={sample.prompt} query={query} />
        </pre>
      ) : (
        <p className="notice">The prompts of A and B differ.</p>
      )}
      <p className="expected">
        <span>Expected</span> <Marked text={sample.target} query={query} />
      </p>
      <div className="answers">
        {logs.a && <Answer side="a" sample={a} query={query} withPrompt={!samePrompt} />}
        {logs.b && <Answer side="b" sample={b} query={query} withPrompt={!samePrompt} />}
      </div>
    </article>
  );
}

function Answer({ side, sample, query, withPrompt }: { side: Side; sample: SampleView | undefined; query: string; withPrompt: boolean }) {
  if (!sample) {
    return (
      <section className={side}>
        <h2>{side.toUpperCase()}</h2>
        <p className="absent">Not in this log.</p>
      </section>
    );
  }
  return (
    <section className={side}>
      <h2>{side.toUpperCase()}</h2>
      {withPrompt && (
        <pre className="prompt">
          <Marked text={sample.prompt} query={query} />
        </pre>
      )}
      <ul className="scores">
        {Object.entries(sample.scores).map(([name, score]) => (
          <li key={name} className={score === true ? "right" : score === false ? "wrong" : ""}>
            {name} <b>{typeof score === "boolean" ? (score ? "✓" : "✗") : score.toPrecision(4)}</b>
          </li>
        ))}
      </ul>
      {sample.remarks.map((remark) => (
        <p key={remark} className="remark">
          {remark}
        </p>
      ))}
      {sample.generated !== null && (
        <>
          <h3>Written</h3>
          <pre>
            <Marked text={sample.generated === "" ? "(nothing)" : sample.generated} query={query} />
          </pre>
        </>
      )}
      {sample.choices.length > 0 && <Choices sample={sample} query={query} />}
    </section>
  );
}

/** Probability of each choice among the choices, as a bar beside its log-likelihood. */
function Choices({ sample, query }: { sample: SampleView; query: string }) {
  const best = Math.max(...sample.choices.map(({ logprob }) => logprob ?? -Infinity));
  // exp(-Infinity - -Infinity) is no number: where every choice is impossible, none has a share.
  const weights = sample.choices.map(({ logprob }) => (logprob === null || logprob === -Infinity ? 0 : Math.exp(logprob - best)));
  const total = weights.reduce((x, y) => x + y, 0) || 1;
  return (
    <>
      <h3>Choices</h3>
      <table>
        <thead>
          <tr>
            <th scope="col">choice</th>
            <th scope="col">share</th>
            <th scope="col">log-likelihood, nats</th>
          </tr>
        </thead>
        <tbody>
          {sample.choices.map(({ text, logprob, isTarget }, k) => (
            <tr key={k} className={`${isTarget ? "target" : ""}${logprob === best && best > -Infinity ? " chosen" : ""}`}>
              <td>
                <Marked text={text} query={query} />
              </td>
              <td>
                <span className="share">
                  <i style={{ width: `${(100 * weights[k]!) / total}%` }} />
                </span>
              </td>
              <td>{logprob === null ? "lost" : Number.isFinite(logprob) ? logprob.toFixed(3) : logprob < 0 ? "-∞" : "∞"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** Text with what was searched for marked. */
function Marked({ text, query }: { text: string; query: string }) {
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return text;
  const lower = text.toLowerCase();
  // Lower case may have another length (İ): then places would be wrong, and nothing is marked.
  if (lower.length !== text.length) return text;
  const parts = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + wanted.length)}</mark>);
    from = at + wanted.length;
  }
  return (
    <>
      {parts}
      {text.slice(from)}
    </>
  );
}

import { mcnemarPValue, type Tally } from "./rows.ts";

const percent = (part: number, whole: number): string => (whole === 0 ? "–" : `${((100 * part) / whole).toFixed(1)} %`);

/** Right answers of each model, and the pairs in which they differ with the test of whether that is chance. */
export function Summary({ counts, hasB, score }: { counts: Tally; hasB: boolean; score: string }) {
  const { a, b, both } = counts;
  const p = mcnemarPValue(both.onlyA, both.onlyB);
  const same = both.pairs - both.onlyA - both.onlyB;
  return (
    <dl className="summary">
      <div className="a">
        <dt>A, {score}</dt>
        <dd>
          {percent(a.right, a.scored)} <small>{`${a.right.toLocaleString("en")} of ${a.scored.toLocaleString("en")}`}</small>
        </dd>
      </div>
      {hasB && (
        <>
          <div className="b">
            <dt>B, {score}</dt>
            <dd>
              {percent(b.right, b.scored)} <small>{`${b.right.toLocaleString("en")} of ${b.scored.toLocaleString("en")}`}</small>
            </dd>
          </div>
          <div className="pairs">
            <dt>Same items</dt>
            <dd>
              <span className="bar" role="img" aria-label={`only A right ${both.onlyA}, alike ${same}, only B right ${both.onlyB}`}>
                <i className="a" style={{ flexGrow: both.onlyA }} />
                <i className="same" style={{ flexGrow: same }} />
                <i className="b" style={{ flexGrow: both.onlyB }} />
              </span>
              <small>
                only A right {both.onlyA.toLocaleString("en")}, only B {both.onlyB.toLocaleString("en")}; {p < 0.05 ? "a real difference" : "may be chance"} (McNemar p{" "}
                {p < 0.001 ? "< 0.001" : `= ${p.toFixed(3)}`})
              </small>
            </dd>
          </div>
        </>
      )}
    </dl>
  );
}

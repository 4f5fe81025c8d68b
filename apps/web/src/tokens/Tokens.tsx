import type { EncodingName } from "@espalier/tokenizer";
import { type ClipboardEvent, useEffect, useRef, useState } from "react";
import { encodingNames, published } from "./encodings.ts";
import { type LatestOnly, latestOnly } from "./latestOnly.ts";
import type { Ready, Tokens as TokensOfText } from "./messages.ts";
import { Span } from "./Span.tsx";
import TokenWorker from "./worker.ts?worker&inline"; // in the page itself, as all of it

const EXAMPLE = `A small model learns first, and the small model grows while it learns.
小模型先学习，然后在学习中成长。
for (const word of ["hasOwnProperty", "constructor"]) console.log(word, 3.14159);
Растущая модель 🌱 <|endoftext|>`;
/** Browsers insert a text of many lines in time that grows with the square of them: 300 kB in 30 s. From here on we set it. */
const LONG_INSERT = 20_000;

/** A text, and below it the same text in tokens, as it is typed. */
export function Tokens() {
  const area = useRef<HTMLTextAreaElement>(null);
  const worker = useRef<LatestOnly>(null);
  const [result, setResult] = useState<TokensOfText>();
  const [tokenizer, setTokenizer] = useState<Ready>();
  const [name, setName] = useState<EncodingName | "file">("cl100k_base");
  const [special, setSpecial] = useState(false);
  const [ids, setIds] = useState(false);
  const [problem, setProblem] = useState<string>();

  useEffect(() => {
    const made = latestOnly(
      () => new TokenWorker(),
      (answer) => {
        if (answer.kind === "tokens") setResult(answer);
        else if (answer.kind === "problem") setProblem(answer.message);
        else {
          setTokenizer(answer);
          setName(encodingNames.find((each) => each === answer.name) ?? "file");
          setProblem(undefined);
        }
      },
    );
    worker.current = made;
    made.use(published("cl100k_base"));
    made.encode(EXAMPLE, false);
    return () => made.close();
  }, []);

  const encode = (special: boolean) => worker.current?.encode(area.current!.value, special);
  const paste = (event: ClipboardEvent) => {
    const text = event.clipboardData.getData("text/plain");
    const { selectionStart, selectionEnd } = area.current!;
    if (text.length + selectionEnd - selectionStart < LONG_INSERT) return;
    event.preventDefault();
    area.current!.setRangeText(text, selectionStart, selectionEnd, "end");
    encode(special);
  };
  const count = (value: number) => value.toLocaleString("en");

  return (
    <main className="tokens">
      <p className="eyebrow">Espalier</p>
      <h1>The tokens of a text</h1>
      <div className="controls">
        <label>
          tokeniser{" "}
          <select
            value={name}
            onChange={(event) => {
              const chosen = event.target.value as EncodingName;
              setName(chosen);
              worker.current?.use(published(chosen));
            }}
          >
            {encodingNames.map((each) => (
              <option key={each}>{each}</option>
            ))}
            {name === "file" && <option value="file">{tokenizer?.name}</option>}
          </select>
        </label>
        <label className="open">
          or a file: tokenizer.json, .tiktoken <input type="file" accept=".json,.tiktoken" onChange={(event) => event.target.files?.[0] && worker.current?.use({ file: event.target.files[0] })} />
        </label>
        <label>
          <input type="checkbox" checked={ids} onChange={(event) => setIds(event.target.checked)} /> ids
        </label>
        <label>
          <input
            type="checkbox"
            checked={special}
            onChange={(event) => {
              setSpecial(event.target.checked);
              encode(event.target.checked);
            }}
          />{" "}
          special tokens
        </label>
      </div>
      {problem && <p className="caveat problem">{problem}</p>}
      <textarea
        ref={area}
        aria-label="text"
        defaultValue={EXAMPLE}
        spellCheck={false}
        onInput={() => encode(special)} // not onChange, which compares with what it last saw and does not see what paste sets
        onPaste={paste}
      />
      {result && tokenizer && (
        <>
          <div className="numbers">
            <div>
              <span>tokens</span>
              <strong>{count(result.numTokens)}</strong>
              <small>{special ? "special tokens are taken for what they name" : "special tokens in a text are text"}</small>
            </div>
            <div>
              <span>bytes</span>
              <strong>{count(result.numBytes)}</strong>
              <small>{count(result.numCharacters)} characters</small>
            </div>
            <div>
              <span>bytes a token</span>
              <strong>{result.numTokens > 0 ? (result.numBytes / result.numTokens).toFixed(2) : "0"}</strong>
              <small>of a vocabulary of {count(tokenizer.vocabSize)}</small>
            </div>
            <div>
              <span>encoded in</span>
              <strong>{result.encodeMs < 0.1 ? "< 0.1" : result.encodeMs.toFixed(1)} ms</strong>
              <small>{tokenizer.encoder === "wasm" ? "by WebAssembly" : "by TypeScript"}</small>
            </div>
          </div>
          <div className="shown" aria-label="tokens">
            {result.spans.map((span, place) => (
              <Span key={place} span={span} place={place} bytes={result.bytes} ids={ids} />
            ))}
          </div>
          {result.numTokens > result.spans.length && <p className="hint">The first {count(result.spans.length)} tokens are shown, all are counted.</p>}
        </>
      )}
      <footer>Nothing leaves this page. In the terminal: espalier tokens &quot;a text&quot;</footer>
    </main>
  );
}

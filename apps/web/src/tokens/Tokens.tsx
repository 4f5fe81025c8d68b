import { EspalierError } from "@espalier/core";
import { type EncodingName, type HuggingFaceTokenizer, type Tokenizer, tokenSpans } from "@espalier/tokenizer";
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import { encoding, encodingNames, tokenizerFromFile } from "./encodings.ts";
import { Span } from "./Span.tsx";

const EXAMPLE = `A small model learns first, and the small model grows while it learns.
小模型先学习，然后在学习中成长。
for (const word of ["hasOwnProperty", "constructor"]) console.log(word, 3.14159);
Растущая модель 🌱 <|endoftext|>`;
/** More elements than this make a page slow; the counts are of all. */
const SHOWN = 5000;
const utf8 = new TextEncoder();

/** A text, and below it the same text in tokens, as it is typed. */
export function Tokens() {
  const [text, setText] = useState(EXAMPLE);
  const [tokenizer, setTokenizer] = useState<Tokenizer | HuggingFaceTokenizer>();
  const [name, setName] = useState<EncodingName | "file">("cl100k_base");
  const [special, setSpecial] = useState(false);
  const [ids, setIds] = useState(false);
  const [problem, setProblem] = useState<string>();
  const deferred = useDeferredValue(text);

  useEffect(() => {
    if (name === "file") return;
    let wanted = true;
    void encoding(name).then((made) => wanted && setTokenizer(made));
    return () => void (wanted = false);
  }, [name]);

  const result = useMemo(() => {
    if (!tokenizer) return undefined;
    const text = deferred.toWellFormed();
    const bytes = utf8.encode(text);
    const started = performance.now();
    const spans = tokenSpans(tokenizer, text, special ? "recognize" : "text");
    return { bytes, spans, ms: performance.now() - started };
  }, [tokenizer, deferred, special]);

  const open = (file: File | undefined) => {
    if (!file) return;
    tokenizerFromFile(file).then(
      (made) => {
        setTokenizer(made);
        setName("file");
        setProblem(undefined);
      },
      (error: unknown) => setProblem(error instanceof EspalierError ? error.message : String(error)),
    );
  };
  const count = (value: number) => value.toLocaleString("en");

  return (
    <main className="tokens">
      <p className="eyebrow">Espalier</p>
      <h1>The tokens of a text</h1>
      <div className="controls">
        <label>
          tokeniser{" "}
          <select value={name} onChange={(event) => setName(event.target.value as EncodingName)}>
            {encodingNames.map((each) => (
              <option key={each}>{each}</option>
            ))}
            {name === "file" && <option value="file">{tokenizer?.name}</option>}
          </select>
        </label>
        <label className="open">
          or a file: tokenizer.json, .tiktoken <input type="file" accept=".json,.tiktoken" onChange={(event) => open(event.target.files?.[0])} />
        </label>
        <label>
          <input type="checkbox" checked={ids} onChange={(event) => setIds(event.target.checked)} /> ids
        </label>
        <label>
          <input type="checkbox" checked={special} onChange={(event) => setSpecial(event.target.checked)} /> special tokens
        </label>
      </div>
      {problem && <p className="caveat problem">{problem}</p>}
      <textarea aria-label="text" value={text} spellCheck={false} onChange={(event) => setText(event.target.value)} />
      {result && tokenizer && (
        <>
          <div className="numbers">
            <div>
              <span>tokens</span>
              <strong>{count(result.spans.length)}</strong>
              <small>{special ? "special tokens are taken for what they name" : "special tokens in a text are text"}</small>
            </div>
            <div>
              <span>bytes</span>
              <strong>{count(result.bytes.length)}</strong>
              <small>{count([...deferred].length)} characters</small>
            </div>
            <div>
              <span>bytes a token</span>
              <strong>{result.spans.length > 0 ? (result.bytes.length / result.spans.length).toFixed(2) : "0"}</strong>
              <small>of a vocabulary of {count(tokenizer.vocabSize)}</small>
            </div>
            <div>
              <span>encoded in</span>
              <strong>{result.ms < 0.1 ? "< 0.1" : result.ms.toFixed(1)} ms</strong>
              <small>{!("spans" in tokenizer) && tokenizer.encoder === "wasm" ? "by WebAssembly" : "by TypeScript"}</small>
            </div>
          </div>
          <div className="shown" aria-label="tokens">
            {result.spans.slice(0, SHOWN).map((span, place) => (
              <Span key={place} span={span} place={place} bytes={result.bytes} ids={ids} />
            ))}
          </div>
          {result.spans.length > SHOWN && <p className="hint">The first {count(SHOWN)} tokens are shown, all are counted.</p>}
        </>
      )}
      <footer>Nothing leaves this page. In the terminal: espalier tokens &quot;a text&quot;</footer>
    </main>
  );
}

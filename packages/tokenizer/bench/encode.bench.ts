/**
 * cl100k encoding: `pnpm --filter @espalier/tokenizer bench [part or file.jsonl.gz ...]`; build the package and its addon
 * first. Parts: `en-docs`, `zh-docs`, `zh-wiki`, `code`, `adversarial`, `start-up`, `workers`; all when none is named.
 *
 * Five runs, in each of which every encoder takes its turn on the same documents, so that a slow minute of the machine
 * is everyone's. "First" is a fresh encoder on text it has not seen, what a corpus run gets; "warm" the same documents
 * again. Medians with the range, MB of UTF-8 a second, one thread. Ids are compared with tiktoken's before anything is
 * timed; how many documents a rival gets wrong is shown, and a rival that fails a probe is called incorrect. At the end
 * the bars that the package holds itself to, each with what was measured.
 */
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { adversarial, measureAdversarial } from "./adversarial.ts";
import { contenders, isCorrect, wrongDocuments } from "./contenders.ts";
import { corpus, median, seconds, spread, textsOf } from "./measure.ts";
import { ours } from "./ours.ts";
import { processesSpeed, threadsSpeed, workersSpeed } from "./workers.ts";

const RUNS = 5;
const SAMPLE_BYTES = 2e6; // rivals need seconds for what we do in milliseconds
/** Over the corpus, of every worker, thread and process. */
const PASSES = 6;
const CORPORA = ["en-docs", "zh-docs", "zh-wiki", "code"];
const named = process.argv.slice(2);
const wanted = (part: string): boolean => named.length === 0 || named.includes(part);
const files: (string | URL)[] = [...CORPORA.filter(wanted).map((name) => new URL(`${name}.jsonl.gz`, corpus)), ...named.filter((name) => name.endsWith(".gz"))];
const correct = contenders.map(isCorrect);
const bars: string[] = [];
const bar = (what: string, measured: number, limit: number, unit: string, atMost = false): void => {
  const holds = atMost ? measured <= limit : measured >= limit;
  bars.push(`${holds ? "holds" : "FAILS"}  ${what}: ${measured.toFixed(2)} ${unit}, bar ${atMost ? "at most" : "at least"} ${limit}`);
};

console.log(`${cpus()[0]!.model}, Node ${process.version}, ${RUNS} interleaved runs, median (range), MB/s`);
if (ours("auto").encoder !== "native") throw new Error("The addon is not built. Run `pnpm native`.");

for (const file of files) {
  const everything = textsOf(file);
  const step = Math.max(1, Math.round(everything.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / SAMPLE_BYTES));
  const texts = everything.filter((_, i) => i % step === 0);
  const documents = texts.map((text) => new TextEncoder().encode(text));
  const megabytes = documents.reduce((sum, { length }) => sum + length, 0) / 1e6;
  const wrong = contenders.map((contender) => wrongDocuments(contender, texts, documents));
  if (contenders.some(({ ours }, i) => ours && wrong[i]! > 0)) throw new Error(`${String(file)}: our ids differ from tiktoken's`);

  const first: number[][] = contenders.map(() => []);
  const warm: number[][] = contenders.map(() => []);
  for (let run = 0; run < RUNS; run++) {
    for (const [i, { fresh }] of contenders.entries()) {
      const encode = fresh();
      const all = () => texts.forEach((text, k) => encode(text, documents[k]!));
      first[i]!.push(megabytes / seconds(all));
      warm[i]!.push(megabytes / seconds(all));
    }
  }
  const fileName = String(file).split("/").at(-1)!;
  console.log(`${fileName}, ${texts.length} documents, ${megabytes.toFixed(1)} MB`);
  for (const [i, { name }] of contenders.entries()) {
    const note = correct[i] ? "" : `  incorrect${wrong[i]! > 0 ? `, wrong ids in ${wrong[i]} documents here` : ""}`;
    console.log(`  ${name.padEnd(21)} first ${spread(first[i]!).padEnd(22)} warm ${spread(warm[i]!)}${note}`);
  }
  // The fastest correct rival of each run.
  const rival = Array.from({ length: RUNS }, (_, run) => Math.max(...contenders.map(({ ours }, i) => (ours || !correct[i] ? 0 : first[i]![run]!))));
  const times = (name: string) => median(first[contenders.findIndex((contender) => contender.name === name)]!.map((speed, run) => speed / rival[run]!));
  if (file instanceof URL && !fileName.startsWith("code")) {
    const chinese = fileName.startsWith("zh");
    bar(`${fileName}, first pass, native against the fastest correct rival`, times("native, bytes"), chinese ? 8 : 12, "times");
    bar(`${fileName}, first pass, WebAssembly against the same`, times("WebAssembly, bytes"), 5, "times");
  }
}

if (wanted("adversarial")) {
  console.log("1 MB made to be slow, ms (peak MB of the whole process): native, WebAssembly, TypeScript");
  const worst = { native: { ms: 0, peakMegabytes: 0 }, wasm: { ms: 0, peakMegabytes: 0 } };
  for (const name of Object.keys(adversarial)) {
    const row = (["auto", "wasm", "typescript"] as const).map((encoder) => measureAdversarial(name, encoder));
    for (const [i, key] of (["native", "wasm"] as const).entries()) {
      worst[key] = { ms: Math.max(worst[key].ms, row[i]!.ms), peakMegabytes: Math.max(worst[key].peakMegabytes, row[i]!.peakMegabytes) };
    }
    console.log(`  ${name.padEnd(26)}${row.map(({ ms, peakMegabytes }) => `${ms.toFixed(0).padStart(6)} (${peakMegabytes.toFixed(0)})`).join("")}`);
  }
  for (const [key, { ms, peakMegabytes }] of Object.entries(worst)) {
    bar(`slowest megabyte, ${key}`, ms, 500, "ms", true);
    bar(`most memory for a megabyte, ${key}, whole process`, peakMegabytes, 200, "MB", true);
  }
}

if (wanted("start-up")) {
  // Fresh processes with the built package, as users install it: from the import to the first ids, inside the process; and
  // the whole process from its start to its end beside one that does nothing.
  const program = (entry: string) => `const start = performance.now();
  const { cl100k } = await import("${entry}");
  const { length } = cl100k().encode("hello");
  if (length === 1) console.log(performance.now() - start, cl100k().encoder);`;
  const run = (source: string) => {
    const start = performance.now();
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", source], { cwd: new URL("..", import.meta.url), encoding: "utf8" });
    return { stdout, stderr, wholeMs: performance.now() - start };
  };
  const entries = ["@espalier/tokenizer/encoding", "@espalier/tokenizer/node"];
  const startMs: number[][] = entries.map(() => []);
  const [wholeMs, nothingMs]: [number[], number[]] = [[], []];
  for (let i = 0; i < 2 * RUNS; i++) {
    nothingMs.push(run("0").wholeMs);
    for (const [k, entry] of entries.entries()) {
      const { stdout, stderr, wholeMs: took } = run(program(entry));
      if (!stdout.endsWith("native\n")) throw new Error(`Build first: \`pnpm --filter @espalier/tokenizer... build\`.\n${stderr}`);
      startMs[k]!.push(parseFloat(stdout));
      if (k === 0) wholeMs.push(took);
    }
  }
  for (const [k, entry] of entries.entries()) console.log(`start-up, import of ${entry} to first ids: ${spread(startMs[k]!)} ms`);
  console.log(`whole process with /encoding ${spread(wholeMs)} ms; one that does nothing ${spread(nothingMs)} ms`);
  bar("start-up, import to first ids", median(startMs[0]!), 40, "ms", true);
}

if (wanted("workers")) {
  const file = "en-docs.jsonl.gz";
  const texts = textsOf(new URL(file, corpus));
  const documents = texts.map((text) => new TextEncoder().encode(text));
  const kinds: [string, (count: number) => Promise<number>][] = [
    ["workers", (count) => workersSpeed(count, documents, PASSES)],
    ["threads of the addon, JSON lines to ids", (count) => threadsSpeed(count, texts, PASSES)],
    ["processes, which share nothing: the machine's own limit", (count) => processesSpeed(count, file, PASSES)],
  ];
  const scaling: number[][] = kinds.map(() => []);
  for (let run = 0; run < RUNS; run++) {
    for (const [i, [, speed]] of kinds.entries()) {
      const [two, one] = run % 2 === 0 ? [await speed(2), await speed(1)] : [await speed(1), await speed(2)].reverse();
      scaling[i]!.push(two! / one!);
    }
  }
  for (const [i, [name]] of kinds.entries()) console.log(`two ${name}, against one: ${spread(scaling[i]!, 2)} times`);
  bar("two workers", median(scaling[0]!), 1.9, "times one");
  bar("two threads of the addon", median(scaling[1]!), 1.9, "times one");
}

console.log(`\nBars\n${bars.join("\n")}`);

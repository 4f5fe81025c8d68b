import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSample } from "./format.ts";
import { forEachLine } from "./lines.ts";
import { indexLog, readSample } from "./logIndex.ts";
import { askedLine } from "./askedLine.ts";
import { filterRows, markOf, mcnemarPValue, pairLogs, placeOf, tally } from "./rows.ts";

const iq = (i: number, right: boolean, more: object = {}) => ({
  key: `counting@1/tiny/test/1/${i}`,
  task: i % 2 ? "counting" : "copying",
  prompt: `Count from ${i}: `,
  target: String(i + 1),
  choices: [String(i), String(i + 1)],
  generated: right ? String(i + 1) : "İstanbul 北京",
  logprobs: [-2, right ? -1 : null],
  correct: { "exact match": right, likelihood: right },
  ...more,
});
const logOf = (samples: readonly unknown[], tail = "") => new Blob([samples.map((sample) => `${JSON.stringify(sample)}\n`).join(""), tail]);

describe("forEachLine", () => {
  it("finds every line at its place, however the chunks fall", async () => {
    const line = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.replaceAll("\n", " "));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), fc.boolean(), fc.integer({ min: 1, max: 17 }), async (lines, ends, chunkBytes) => {
        const text = lines.join("\n") + (ends ? "\n" : "");
        const file = new Blob([text]);
        const found: string[] = [];
        const places: [number, number][] = [];
        await forEachLine(file, (offset, bytes) => {
          found.push(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
          places.push([offset, bytes.length]);
        }, undefined, chunkBytes);
        expect(found).toEqual(text.toWellFormed().split("\n").filter((each) => each !== ""));
        for (const [i, [offset, size]] of places.entries()) {
          expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(await file.slice(offset, offset + size).arrayBuffer())).toBe(found[i]);
        }
      }),
    );
  });
});

describe("askedLine", () => {
  it.each([
    ["Question: Why?\nAnswer:", "Question: Why?"],
    ["问题：为什么？\n答案：", "问题：为什么？"],
    ["a\nThe key of nem is", "The key of nem is"],
    ["Answer:", "Answer:"],
    ["Words, words.\nCount on from 7: ", "Count on from 7:"],
    ["\n\n", ""],
    ["Names: Ann, Bob\n", "Names: Ann, Bob"],
  ])("of %j is %j", (prompt, line) => expect(askedLine(prompt)).toBe(line));
});

describe("parseSample", () => {
  it("reads our IQ samples", () => {
    expect(parseSample(JSON.stringify(iq(3, true)))).toEqual({
      key: "counting@1/tiny/test/1/3", task: "counting", prompt: "Count from 3: ", target: "4", generated: "4",
      choices: [{ text: "3", logprob: -2, isTarget: false }, { text: "4", logprob: -1, isTarget: true }],
      scores: { "exact match": true, likelihood: true },
      remarks: [],
    });
  });

  it("says of each kind of sample what was cut or lost", () => {
    const cut = /^The prompt lost its first 1,200 tokens to the length of the context\.$/;
    const lost = /^A continuation lost all its tokens at the boundary to the prompt/;
    const remarks = (sample: object) => parseSample(JSON.stringify(sample), "x.jsonl")!.remarks;
    expect(remarks(iq(3, false, { numTruncated: 1200 }))).toEqual([expect.stringMatching(cut), expect.stringMatching(lost)]);
    expect(remarks({ key: "k", task: "t", target: "a", requests: [["p", " a"]], scores: {}, numTruncated: 1200, boundaryError: true })).toHaveLength(2);
    expect(remarks({ doc_id: 1, target: "a", arguments: { gen_args_0: { arg_0: "p", arg_1: " a" } }, resps: [["-1", "False"]], truncated_tokens: 1200, boundary_error: false })).toEqual([expect.stringMatching(cut)]);
  });

  it("reads our knowledge samples, those whose choices stand in the context too", () => {
    const sample = {
      key: "k", task: "winogrande", docId: 1, doc: {}, target: "Ann",
      requests: [["Because Bob", " ran."], ["Because Ann", " ran."]],
      loglikelihoods: [{ logprob: -3, numTokens: 2, isGreedy: false }, { logprob: -1, numTokens: 2, isGreedy: true }],
      scores: { "acc,none": 1, "perplexity,none": 2.5, "exact_match,strict": 0 },
    };
    expect(parseSample(JSON.stringify(sample))).toMatchObject({
      prompt: "Because ", choices: [{ text: "Bob ran.", logprob: -3 }, { text: "Ann ran.", logprob: -1 }],
      scores: { acc: true, perplexity: 2.5, "exact_match,strict": false },
    });
  });

  it("reads samples of lm-evaluation-harness, the task from the file's name", () => {
    const sample = {
      doc_id: 7, doc: { q: 1 }, target: " B", arguments: { gen_args_0: { arg_0: "Q?", arg_1: " A" }, gen_args_1: { arg_0: "Q?", arg_1: " B" } },
      resps: [[["-1.5", "True"]], [["-0.5", "False"]]], filtered_resps: [["-1.5", "True"], ["-0.5", "False"]], filter: "none", metrics: ["acc"], acc: 1.0,
    };
    expect(parseSample(JSON.stringify(sample), "samples_arc_easy_2026-11-25T04-17-22.000000.jsonl")).toEqual({
      key: "arc_easy/none/7", task: "arc_easy", prompt: "Q?", target: " B", generated: null,
      choices: [{ text: " A", logprob: -1.5, isTarget: false }, { text: " B", logprob: -0.5, isTarget: true }],
      scores: { acc: true }, remarks: [],
    });
    const written = { ...sample, arguments: { gen_args_0: { arg_0: "Q?", arg_1: { until: ["\n"] } } }, resps: [["4 apples"]], filtered_resps: ["4"], filter: "strict", metrics: ["exact_match"], exact_match: 0 };
    expect(parseSample(JSON.stringify(written))).toMatchObject({ generated: "4", choices: [], prompt: "Q?", scores: { "exact_match (strict)": false }, key: "samples/strict/7" });
  });

  it("tells an impossible continuation from a lost one, in every form of log", () => {
    const logprobs = (sample: object) => parseSample(JSON.stringify(sample))!.choices.map(({ logprob }) => logprob);
    const known = { key: "k", task: "t", target: "a", requests: [["p", " a"], ["p", " b"]], scores: { "acc,none": 1 } };
    const answer = (logprob: number | null, numTokens: number) => ({ logprob, numTokens, isGreedy: false });
    expect(logprobs({ ...known, loglikelihoods: [answer(-1, 1), answer(null, 2)], boundaryError: false })).toEqual([-1, -Infinity]);
    expect(logprobs({ ...known, loglikelihoods: [answer(-1, 1), answer(null, 0)], boundaryError: true })).toEqual([-1, null]);
    const harness = { doc_id: 1, target: " a", arguments: { gen_args_0: { arg_0: "p", arg_1: " a" }, gen_args_1: { arg_0: "p", arg_1: " b" } } };
    expect(logprobs({ ...harness, resps: [["-inf", "False"], ["nan", "False"]] })).toEqual([-Infinity, null]);
    expect(logprobs(iq(1, true, { logprobs: [-3, "-inf"] }))).toEqual([-3, -Infinity]);
  });

  it("is a sample or nothing, never an error, for any line", () => {
    const fields = fc.record({ correct: fc.anything(), choices: fc.anything(), logprobs: fc.anything(), requests: fc.anything(), scores: fc.anything(), arguments: fc.anything(), resps: fc.anything(), loglikelihoods: fc.anything() }, { requiredKeys: [] });
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string(), fields.map((value) => JSON.stringify(value) ?? "")), (line) => void parseSample(line)), { numRuns: 500 });
  });
});

describe("indexLog", () => {
  it("knows where each sample is, and passes over lines that are none", async () => {
    const file = logOf([iq(0, true), { loss: 3 }, iq(1, false), iq(2, true)], '{"key": "torn');
    const index = await indexLog(file);
    expect(index).toMatchObject({ length: 3, skipped: 2, taskNames: ["copying", "counting"], scoreNames: ["exact match", "likelihood"] });
    for (const [i, number] of [0, 1, 2].entries()) expect((await readSample(file, index, i)).prompt).toBe(`Count from ${number}: `);
    expect([0, 1, 2].map((i) => markOf(index, i, "likelihood"))).toEqual([true, false, true]);
    expect(markOf(index, 0, "f1")).toBeUndefined();
    expect(markOf(index, -1, "likelihood")).toBeUndefined();
  });

  it("says what it has so far, each time twice as much, as beginnings of the whole", async () => {
    const samples = Array.from({ length: 3000 }, (_, i) => iq(i, true, { prompt: `${"word ".repeat(2000)}${i}` })); // 30 MB, read in parts of 4
    const starts = [0];
    for (const sample of samples) starts.push(starts.at(-1)! + JSON.stringify(sample).length + 1);
    const soFar: number[] = [];
    const index = await indexLog(logOf(samples), undefined, (part) => {
      soFar.push(part.length);
      expect([...part.offsets]).toEqual(starts.slice(0, part.length));
      expect(part.keys).toHaveLength(part.length);
    });
    expect(soFar.length).toBeGreaterThan(2);
    for (const [k, length] of soFar.slice(1).entries()) expect(length).toBeGreaterThanOrEqual(2 * soFar[k]!);
    expect(soFar.at(-1)).toBeLessThan(index.length);
    expect(index.length).toBe(3000);
  });
});

describe("two logs", () => {
  const logs = async () => [await indexLog(logOf([iq(0, true), iq(1, false), iq(2, true), iq(3, true)])), await indexLog(logOf([iq(3, false), iq(1, false), iq(0, true), iq(9, true)]))] as const;

  it("are paired by key, what only the second has at the end", async () => {
    const rows = pairLogs(...(await logs()));
    expect([...rows.a]).toEqual([0, 1, 2, 3, -1]);
    expect([...rows.b]).toEqual([2, 1, -1, 0, 3]);
    expect([...pairLogs(undefined, undefined).a]).toEqual([]);
  });

  it("are filtered to wrong answers, differences, tasks and what a search found", async () => {
    const [a, b] = await logs();
    const rows = pairLogs(a, b);
    const filter = (change: object) => [...filterRows(rows, a, b, { show: "all", score: "likelihood", task: "", ...change })];
    expect(filter({ show: "wrongA" })).toEqual([1]);
    expect(filter({ show: "wrongB" })).toEqual([1, 3]);
    expect(filter({ show: "differ" })).toEqual([3]);
    expect(filter({ task: "counting" })).toEqual([1, 3, 4]);
    expect(filter({ found: { a: Uint8Array.of(0, 0, 1, 0), b: Uint8Array.of(0, 0, 0, 1) } })).toEqual([2, 4]);
    expect(filter({ show: "wrongA", score: "f1" })).toEqual([]);
    expect(tally(rows, a, b, { score: "likelihood", task: "" })).toEqual({ a: { right: 3, scored: 4 }, b: { right: 2, scored: 4 }, both: { pairs: 3, onlyA: 1, onlyB: 0 } });
  });

  it("keep their place when rows come in before it", () => {
    expect([0, 3, 4, 9, 12].map((row) => placeOf(Uint32Array.of(3, 5, 9), row))).toEqual([0, 0, 1, 2, 2]);
    expect(placeOf(new Uint32Array(0), 5)).toBe(0);
  });

  it("have McNemar's exact p-value", () => {
    expect(mcnemarPValue(0, 0)).toBe(1);
    expect(mcnemarPValue(0, 6)).toBeCloseTo(2 / 64, 12);
    expect(mcnemarPValue(10, 2)).toBeCloseTo((2 * (1 + 12 + 66)) / 4096, 12);
    expect(mcnemarPValue(5, 5)).toBe(1);
    expect(mcnemarPValue(6000, 6400)).toBeLessThan(0.001);
  });
});

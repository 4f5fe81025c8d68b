import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSample } from "./format.ts";
import { forEachLine } from "./lines.ts";
import { indexLog } from "./logIndex.ts";
import { findNeedle, needleOf, ODD_CAPITALS } from "./needle.ts";
import { searchedTexts, searchLog } from "./searchLog.ts";

const named = (text: string, name = "log.jsonl") => Object.assign(new Blob([text]), { name });
type Log = ReturnType<typeof named>;

async function search(file: Log, query: string, chunkBytes?: number): Promise<number[]> {
  const found: number[] = [];
  await searchLog(file, await indexLog(file), query, (samples) => found.push(...samples), undefined, chunkBytes);
  return found;
}

/** Every line parsed, every text looked into. */
async function slowSearch(file: Log, query: string): Promise<number[]> {
  const found: number[] = [];
  let i = 0;
  await forEachLine(file, (_, bytes) => {
    const sample = parseSample(new TextDecoder().decode(bytes), file.name);
    if (!sample) return;
    if (searchedTexts(sample).some((text) => text.toLowerCase().includes(query.toLowerCase()))) found.push(i);
    i++;
  });
  return found;
}

const iq = (prompt: unknown, more: object = {}) => ({ key: "k", task: "t", prompt, target: "4", choices: ["4", "5"], generated: "", logprobs: [-1, -2], correct: { likelihood: true }, ...more });
const lines = (...samples: unknown[]) => samples.map((sample) => `${typeof sample === "string" ? sample : JSON.stringify(sample)}\n`).join("");

describe("searchLog", () => {
  it("finds samples by any of their texts, letter case ignored, in the numbering of the index", async () => {
    const file = named(lines({ other: "Count" }, iq("Count from 0"), iq("x", { generated: "İstanbul 北京 count" }), iq("y", { choices: ["a", "COUNT FROM"] }), iq("z", { doc: "count from" })));
    expect(await search(file, "COUNT FROM")).toEqual([0, 2]);
    expect(await search(file, "count")).toEqual([0, 1, 2]);
    expect(await search(file, "北京")).toEqual([1]);
    expect(await search(file, "nowhere")).toEqual([]);
    expect(await search(named(""), "a")).toEqual([]);
  });

  it.each([
    ["a letter of an escape is no text", lines(iq("a\nb"), iq("a\u001bb"), iq("anb")), "nb", [2]],
    ["digits of an escape are none", lines(iq("\u001b"), iq("001b")), "001b", [1]],
    ["a word after a line break", lines(iq("a\nnumber"), iq("b\\\nunder")), "number", [0]],
    ["an escaped backslash before a letter", lines(iq("a\\nb"), iq("a\\\nb"), iq("u0041")), "nb", [0]],
    ["quotes and backslashes", lines(iq('say "so" \\n'), iq("say so")), '"so" \\N', [0]],
    ["needless escapes", lines(String.raw`{"key":"k","task":"t","prompt":"a\/b \u0041\u5317","target":"","correct":{}}`, iq("a/b")), "a/B", [0, 1]],
    ["non-ASCII as ASCII, as Python writes it by default", lines(String.raw`{"key":"k","task":"t","prompt":"a\/b \u0041\u5317","target":"","correct":{}}`), "A北", [0]],
    ["capitals of other scripts", lines(iq("ПРИВЕТ Ärger"), iq("привет"), iq("Ⴀ")), "Привет", [0, 1]],
    ["a Kelvin sign is a k, a dotted I an i", lines(iq("300 \u212A"), iq("\u0130"), iq("300 k")), "k", [0, 2]],
    ["sigmas", lines(iq("ΟΔΟΣ"), iq("οδος"), iq("οδοσα")), "ΟΔΟΣ", [0, 1]],
    ["numbers that JSON may write in two ways", lines(String.raw`{"key":"k","task":"t","prompt":"a","target":1e2,"correct":{}}`), "100", [0]],
    ["slashes alone", lines(iq("a/b"), iq("ab")), "/", [0]],
    ["a byte order mark", `\uFEFF${lines(iq("Ärger"), iq("x"))}`, "är", [0]],
    ["bytes beside the prompt are looked into", lines(iq("no", { doc: { text: "wanted" } }), iq("no", { generated: "wanted" })), "wanted", [1]],
  ])("%s", async (_, text, query, expected) => {
    const file = named(text);
    expect(await slowSearch(file, query)).toEqual(expected);
    expect(await search(file, query)).toEqual(expected);
  });

  it("joins what stands apart in the file: choices that begin in the context, of our logs and the harness's", async () => {
    const sample = { key: "k", task: "w", docId: 1, target: "Ann", requests: [["Because Bob", " ran."], ["Because Ann", " ran."]], loglikelihoods: [{ logprob: -3 }, { logprob: -1 }], scores: {} };
    expect(await search(named(lines(sample)), "bob ran")).toEqual([0]);
    const harness = { doc_id: 7, target: "b", arguments: { gen_args_0: { arg_0: "Q? Bob", arg_1: " ran" }, gen_args_1: { arg_0: "Q? Ann", arg_1: " ran" } }, resps: [["-1", "True"], ["-2", "True"]] };
    expect(await search(named(lines(harness), "samples_x_2026-11-25T04-17-22.0.jsonl"), "ann ran")).toEqual([0]);
  });

  it("finds what the slow search finds, for any texts, queries and sizes of reads", async () => {
    const piece = fc.constantFrom("a", "B", "k", "K", "\u212A", "\u0130", "i", "\n", "\\", '"', "/", "n", "u", "0", "é", "É", "ß", "ẞ", "σ", "ς", "Σ", "北", "😀", "𐐀", "𐐨", "\u001b", "\uFEFF", " ", "\uD83D");
    const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
    const iqSample = fc.record({ prompt: text, target: fc.oneof(text, fc.double({ noNaN: true })), generated: text, doc: text, choices: fc.array(text, { maxLength: 2 }) }).map(({ prompt, ...more }) => iq(prompt, more));
    const known = fc.record({ requests: fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 }), target: text }).map(({ requests, target }) => ({ key: "k", task: "t", requests, target, scores: {}, loglikelihoods: requests.map(() => ({ logprob: -1 })) }));
    const line = fc.oneof({ weight: 4, arbitrary: fc.oneof(iqSample, known).map((sample) => JSON.stringify(sample)) }, fc.oneof(iqSample, known).map((sample) => JSON.stringify(sample).replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)), text.map((each) => each.replaceAll("\n", " ")));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), text.filter((each) => each.trim() !== ""), fc.integer({ min: 1, max: 500 }), async (all, query, chunkBytes) => {
        const file = named(all.join("\n"));
        expect(await search(file, query, chunkBytes)).toEqual(await slowSearch(file, query));
      }),
      { numRuns: 2000 },
    );
  });

  it("gives what it finds as it goes on, and ends when told to", async () => {
    const file = named(lines(...Array.from({ length: 100 }, (_, i) => iq(`item ${i} ${"word ".repeat(40)}`))));
    const index = await indexLog(file);
    const parts: number[][] = [];
    const places: number[] = [];
    await searchLog(file, index, "ITEM", (samples) => parts.push([...samples]), (bytes) => void places.push(bytes), 2000);
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.flat()).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(places).toEqual([...places].sort((x, y) => x - y));
    expect(places.at(-1)).toBe(file.size - 1);
    const few: number[] = [];
    await searchLog(file, index, "item", (samples) => few.push(...samples), () => few.length < 10, 2000);
    expect(few.length).toBeLessThan(30);
  });
});

describe("a needle", () => {
  it("takes every capital of Unicode for its small letter, but for those that are marked as odd", () => {
    const encoder = new TextEncoder();
    for (let code = 0; code < 0x11_0000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const character = String.fromCodePoint(code);
      const lower = character.toLowerCase();
      if (lower === character || ODD_CAPITALS.test(character)) continue;
      const needle = needleOf(lower);
      if (needle && findNeedle(needle, encoder.encode(character), 0) !== 0) expect.fail(`U+${code.toString(16)} is not found by ${lower}`);
      expect([...lower]).toHaveLength(1);
    }
  });

  it("stands where a plain search finds it", () => {
    const small = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 40 }).map((letters) => letters.join(""));
    fc.assert(fc.property(small, small.filter((each) => each !== ""), fc.nat(40), (text, query, from) => {
      expect(findNeedle(needleOf(query)!, new TextEncoder().encode(text), from)).toBe(from + query.length > text.length ? -1 : text.indexOf(query, from));
    }));
  });

  it("is the longest part without breaks", () => {
    expect(needleOf("ab/cde")).toMatchObject({ length: 3, isWhole: false });
    expect(needleOf("abc")).toMatchObject({ length: 3, isWhole: true });
    expect(needleOf("/")).toBeUndefined();
    expect(needleOf("北a")).toMatchObject({ length: 4, isWhole: true });
  });
});

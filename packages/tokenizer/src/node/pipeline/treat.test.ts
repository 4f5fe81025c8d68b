import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { createTokenizer } from "../../tokenizer.ts";
import { randomText } from "../../testing/randomText.ts";
import { cl100k } from "../encoding.ts";
import { definitionOf, stageOf } from "../prepare/pass.ts";
import { createTreat } from "./treat.ts";

const draw = random(9, "treat");
const lines = Array.from({ length: 600 }, (_, i) => (i % 41 === 3 ? '{"text":' : i % 37 === 1 ? "" : JSON.stringify({ id: i, text: randomText(draw, i).repeat(1 + (i % 5)) })));
const batch = () => ({ file: 0, index: 2, bytes: Buffer.from(lines.join("\n")), malformed: [] });

describe("createTreat", () => {
  it.each([
    ["nothing to clean", {}],
    ["addresses masked", { clean: { mask: ["email" as const] } }],
    ["rules and near copies", { clean: { quality: ["gopher-quality" as const] }, nearDuplicates: {} }],
  ])("gives the same with the addon and without: %s", async (_, options) => {
    const tokenizer = cl100k();
    const definition = definitionOf(tokenizer, "<|endoftext|>");
    const fast = (await createTreat(stageOf(options, definition)))(batch());
    const slow = (await createTreat(stageOf(options, { ...definition, encoder: "typescript" }), "typescript"))(batch());
    expect(fast).toEqual(slow);
    expect(fast.numMalformed).toBe(15);
    let start = 0;
    for (const [i, end] of fast.ends.entries()) {
      const document = fast.output.subarray(start, end) as Uint32Array;
      expect(tokenizer.decode(document.subarray(0, -1)).length).toBe(fast.textBytes[i]);
      expect(document.at(-1)).toBe(100257);
      start = end;
    }
    expect(start).toBe(fast.output.length);
  });

  it("gives texts where there is no tokenizer", async () => {
    const treated = (await createTreat(stageOf({}, undefined)))(batch());
    expect(treated).toEqual((await createTreat(stageOf({}, undefined), "typescript"))(batch()));
    expect(treated.output.length).toBe(treated.ends.at(-1));
  });
});

describe("encodeDocuments", () => {
  const texts = Array.from({ length: 300 }, (_, i) => Buffer.from(i % 17 === 0 ? "" : randomText(draw, 1000 + i)));
  const ends = Uint32Array.from(texts, (() => ((size: number) => ({ length }: Buffer) => (size += length)))()(0));
  const { ranks, specialTokens } = cl100k();

  it.each(["auto", "wasm", "typescript"] as const)("gives the ids of the documents one by one, with %s", (encoder) => {
    const tokenizer = createTokenizer({ name: "cl100k", ranks, specialTokens, encoder });
    for (const separator of [undefined, 100257]) {
      for (const out of [undefined, new Uint32Array(1 << 20), new Uint32Array(1)]) {
        const { ids, ends: idEnds } = tokenizer.encodeDocuments(Buffer.concat(texts), ends, { separator, out });
        const expected = texts.map((text) => [...tokenizer.encode(text), ...(separator === undefined ? [] : [separator])]);
        expect([...ids]).toEqual(expected.flat());
        expect(expected.map((_, i) => idEnds[i]! - (idEnds[i - 1] ?? 0))).toEqual(expected.map(({ length }) => length));
        expect(ids.buffer === out?.buffer).toBe(out !== undefined && out.length > 1);
      }
    }
  });

  it("gives ids of a vocabulary that numbers its tokens otherwise", () => {
    const own = Uint32Array.from({ length: ranks.offsets.length - 1 }, (_, rank) => rank + 7);
    const shifted = createTokenizer({ name: "shifted", ranks, specialTokens: new Map([["<s>", 1]]), ids: own });
    const { ids } = shifted.encodeDocuments(Buffer.concat(texts), ends, { separator: 1 });
    expect([...ids]).toEqual(texts.flatMap((text) => [...shifted.encode(text), 1]));
  });

  it("refuses ends that fall", () => {
    for (const encoder of ["auto", "typescript"] as const) {
      const tokenizer = createTokenizer({ name: "cl100k", ranks, specialTokens, encoder });
      expect(() => tokenizer.encodeDocuments(Buffer.from("abc"), Uint32Array.of(2, 1))).toThrow(/ends/);
      expect(() => tokenizer.encodeDocuments(Buffer.from("abc"), Uint32Array.of(4))).toThrow(/ends/);
    }
  });
});

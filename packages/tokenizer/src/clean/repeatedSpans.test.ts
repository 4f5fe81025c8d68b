import { ConfigError } from "@espalier/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { repeatedSpans } from "./repeatedSpans.ts";
import { sentencesOf, spanHashes } from "./sentences.ts";

const bytes = (text: string) => Buffer.from(text);
const sentences = (text: string): string[] => {
  const { ends } = sentencesOf(bytes(text));
  return Array.from(ends, (end, i) => bytes(text).subarray(i === 0 ? 0 : ends[i - 1]!, end).toString());
};

/** The same by a regular expression. */
function byExpression(text: string): string[] {
  const parts = text.match(/[^]*?(?:(?:\n|[。！？])[.!?…。！？"')\]»”’」』]*\s*|[.!?…][.!?…。！？"')\]»”’」』]*(?:\s+|$)|$)/gu) ?? [];
  const found: string[] = [];
  for (const part of parts) {
    if (/[\p{L}\p{N}\p{M}]/u.test(part)) found.push(part);
    else if (found.length > 0) found[found.length - 1] += part;
    else found.push(part); // joined to what follows, below
  }
  return found.length > 1 && !/[\p{L}\p{N}\p{M}]/u.test(found[0]!) ? [found[0]! + found[1]!, ...found.slice(2)] : found.filter((part) => /[\p{L}\p{N}\p{M}]/u.test(part));
}

describe("sentencesOf", () => {
  it.each([
    ["One. Two! Three?", ["One. ", "Two! ", "Three?"]],
    ['He said "No." She left (late). 3.14 is pi… so.', ['He said "No." ', "She left (late). ", "3.14 is pi… ", "so."]],
    ["Home\nAbout us\n\nContact", ["Home\n", "About us\n\n", "Contact"]],
    ["第一。第二！「第三？」第四", ["第一。", "第二！", "「第三？」", "第四"]],
    ["A line.\n---\n* * *\nAnother.", ["A line.\n---\n* * *\n", "Another."]],
    ["", []],
    ["... !\n", []],
  ])("takes %j apart", (text, expected) => {
    expect(sentences(text)).toEqual(expected);
  });

  it("agrees with a regular expression on any text of stops, spaces and words", () => {
    const part = fc.constantFrom("a", "Bee", "7", ".", "!", "?", "…", "。", "！", '"', ")", "’", "」", " ", "\n", "\n\n", "-", "é", "语", "\t");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (list) => {
        const text = list.join("");
        const first = text.search(/[\p{L}\p{N}\p{M}]/u); // wordless beginnings of several parts are the tests' own trouble
        const from = first < 0 ? "" : text.slice(first);
        expect(sentences(from)).toEqual(byExpression(from));
        expect(sentences(text).join("")).toBe(first < 0 ? "" : text);
      }),
      { numRuns: 3000 },
    );
  });

  it("hashes sentences by their words", () => {
    const hash = (text: string) => [...spanHashes(sentencesOf(bytes(text)), 1)].join();
    expect(hash("The cat sat.")).toBe(hash("the  CAT, sat!"));
    expect(hash("The cat sat.")).not.toBe(hash("The cats at."));
    expect(spanHashes(sentencesOf(bytes("A. B. C. D.")), 3)).toHaveLength(4);
    expect(spanHashes(sentencesOf(bytes("A. B.")), 3)).toHaveLength(0);
  });
});

describe("remove", () => {
  const { remove } = repeatedSpans({ minSentences: 2 });
  const left = (text: string, ...ranges: number[]) => {
    const { text: kept, numRemoved, detail } = remove(bytes(text), ranges);
    return [kept && Buffer.from(kept).toString(), numRemoved, detail];
  };

  it("takes out ranges, those that touch or overlap as one", () => {
    expect(left("A. B. C. D. E. F. G. H.", 1, 4, 2, 5)).toEqual(["A. F. G. H.", 4, "4 of 8 sentences are in spans seen before"]);
    expect(left("A. B. C. D. E. F. G. H.", 0, 3, 5, 8)).toEqual(["D. E. ", 6, "6 of 8 sentences are in spans seen before"]);
  });

  it("leaves paragraphs apart", () => {
    expect(left("A. B. C. D.\n\nE. F.", 1, 4)[0]).toBe("A. \n\nE. F.");
    expect(left("A.\nB.\nC.\nD.\nE.", 1, 4)[0]).toBe("A.\nE.");
    expect(left("A.\nB.\nC.\nD.\nE.", 0, 3)[0]).toBe("D.\nE.");
  });

  it("gives nothing where too little is left, and shows what went", () => {
    const { text, detail, example } = remove(bytes("A. B. C. D."), [0, 3]);
    expect([text, detail, Buffer.from(example).toString()]).toEqual([undefined, "3 of 4 sentences are in spans seen before; 1 are left", "A. B. C. "]);
  });

  it("refuses numbers that are none", () => {
    expect(() => repeatedSpans({ sentences: 0 })).toThrow(new ConfigError("repeated spans: sentences is 0, expected a whole number above 0. Leave it out for the default."));
  });
});

import { DataError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { requestsOf } from "../requests.ts";
import { knowledgeNamed } from "../table.ts";
import type { Doc } from "../task.ts";
import { readCb, readMultirc, readRecord, readRte, readWic, readWsc } from "./readers.ts";

const lines = (...rows: unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

const spans = { span1_text: "Tom", span1_index: 0, span2_text: "he", span2_index: 3 };
/** The same row as published and as the hub has it. */
const forms: [string, unknown, Doc[]][] = [
  ["cb", { premise: "P.", hypothesis: "H", label: "contradiction" }, [{ premise: "P.", hypothesis: "H", label: 1 }]],
  ["rte", { premise: "P.", hypothesis: "H.", label: "not_entailment" }, [{ premise: "P.", hypothesis: "H.", label: 1 }]],
  ["wic", { word: "bank", sentence1: "a bank", sentence2: "b bank", start1: 2, end1: 6, label: true }, [{ word: "bank", sentence1: "a bank", sentence2: "b bank", start1: 2, end1: 6, label: 1 }]],
  ["wsc", { text: "Tom ran since he could .", target: spans, label: false }, [{ text: "Tom ran since he could .", ...spans, label: 0 }]],
  [
    "multirc",
    { passage: { text: "P.", questions: [{ question: "Q?", answers: [{ text: "a", label: 1 }, { text: "b", label: 0 }] }] } },
    [{ paragraph: "P.", question: "Q?", answer: "a", label: 1 }, { paragraph: "P.", question: "Q?", answer: "b", label: 0 }],
  ],
  [
    "record",
    { passage: { text: "😀 Ann met Bo.\n@highlight\nA", entities: [{ start: 2, end: 4 }, { start: 10, end: 11 }] }, qas: [{ query: "@placeholder left", answers: [{ text: "Bo" }] }] },
    [{ passage: "😀 Ann met Bo.\n@highlight\nA", query: "@placeholder left", entities: ["Ann", "Bo"], answers: ["Bo"] }],
  ],
];

describe("SuperGLUE's files", () => {
  it.each(forms)("%s asks the same as published and as on the hub", (name, published, hub) => {
    const [entry] = knowledgeNamed([name]);
    const [asked, same] = [lines(published), lines(...hub)].map((text) => {
      const [{ task, docs }] = entry!.sets(text, undefined, "v0.4");
      return requestsOf({ task, docs }).map(({ requests, doc }) => [requests, task.target(doc)]);
    });
    expect(asked!.length).toBe(hub.length);
    expect(asked).toEqual(same);
  });

  it.each([
    [readCb, { label: "maybe" }, /label of row 1 is "maybe", expected one of entailment, contradiction, neutral or their numbers\. Take/],
    [readRte, { label: 2 }, /label of row 1 is 2/],
    [readWic, {}, /label of row 1 is missing, expected one of false, true/],
    [readWsc, { label: -1 }, /label of row 1 is -1/],
    [readMultirc, { passage: "P" }, /readMultirc, row 1: passage is "P", expected an object\. Take/],
    [readMultirc, { passage: { text: "P", questions: [null] } }, /questions is \[null\], expected a list of objects/],
    [readRecord, { passage: { text: "P" }, qas: [] }, /readRecord, row 1: entities is missing/],
    [readRecord, { passage: { text: "P", entities: [{ start: 0 }] }, qas: [] }, /column end is undefined/],
  ] as const)("%o refuses another form", (read, row, message) => {
    expect(() => read(lines(row))).toThrow(message);
    expect(() => read(lines(row))).toThrow(DataError);
  });
});

import { random } from "@espalier/core";
import fc from "fast-check";
import { nativeTextsOfLines } from "#native";
import { describe, expect, it } from "vitest";
import { randomText } from "../../testing/randomText.ts";
import { batchTextsReader } from "./batchTexts.ts";

const field = Buffer.from("text");
const [slow, fast] = [batchTextsReader(field, "typescript"), batchTextsReader(field)];

/** What a reader finds, as plain values. */
function found(read: typeof slow, bytes: Buffer) {
  const { bytes: texts, ends, numbers, numLines, malformed } = read({ bytes: Buffer.from(bytes) });
  return {
    texts: Array.from(ends, (end, i) => Buffer.from(texts.subarray(i === 0 ? 0 : ends[i - 1], end)).toString("latin1")),
    numbers: [...numbers],
    numLines,
    malformed: malformed.map(({ number, reason }) => ({ number, reason: reason() })),
  };
}
const expectSame = (bytes: Buffer) => expect(found(fast, bytes)).toEqual(found(slow, bytes));

const hasAddon = nativeTextsOfLines(field, field, new Uint8Array(100)) !== undefined;

describe.skipIf(!hasAddon)("texts of JSON lines, the addon's against the plain reader's (skipped where the addon is not built)", () => {
  const whole = [
    '{"id":[1,2.5e-3,true,-0,{"text":"inner"}],"text":"a\\u00e9\\ud83d\\ude00 \\"b\\" \\\\ \\/ \\b\\f\\n\\r\\t 语言模型 and more than sixteen bytes","n":{"text":null}}',
    ' {"t\\u0065xt":"escaped key", "a" : false}\r', '{"text":"first","text":"last, longer than the first"}', '{"text":"first","text":1}', '{"text":"","x":""}', '{"text":" \\n\\t"}',
    '{"text":"\\ud83d alone \\udc00 \\ud83d\\u0041"}', "", "  ", "[]", "7", '"text"', "{}", '{"text":{"text":"x"}}', '{"a":[[],{}],"text":"ends here"}', '{"textual":"no","tex":"no","text":"yes"}',
  ];

  it("agrees on lines of every kind, and on where they are", () => {
    for (const end of ["", "\n"]) expectSame(Buffer.from(whole.join("\n") + end));
    for (let cut = 0; cut <= whole[0]!.length; cut++) expectSame(Buffer.from(`${whole[0]!.slice(0, cut)}\n{"text":"behind"}`));
    const nested = (depth: number) => `{"a":${"[".repeat(depth)}${"]".repeat(depth)},"text":"x"}`;
    expectSame(Buffer.from([510, 511, 512, 513, 5000].map(nested).join("\n")));
    expect(found(fast, Buffer.from(whole.join("\n"))).texts.length).toBe(6);
  });

  it("agrees on any values under any keys", () => {
    const value = fc.record({ text: fc.string({ unit: "binary", maxLength: 60 }), meta: fc.jsonValue(), tail: fc.string({ unit: "binary" }) });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, fc.boolean()), { maxLength: 5 }), (values) => {
        const escaped = (text: string) => text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
        expectSame(Buffer.from(values.map(([record, ascii]) => (ascii ? escaped(JSON.stringify(record)) : JSON.stringify(record))).join("\n")));
      }),
      { numRuns: 500 },
    );
  });

  it("agrees on damaged lines and bytes that are not UTF-8", () => {
    const base = Buffer.from(whole.join("\n"));
    const change = fc.tuple(fc.nat(base.length - 1), fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(..."\"\\{}[],:u\n".split("").map((c) => c.charCodeAt(0)), 0xe0, 0xed, 0xf0, 0xf4, 0xc2, 0x80, 0xbf)));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
        const bytes = Buffer.from(base);
        for (const [at, byte] of changes) bytes[at] = byte;
        expectSame(bytes);
      }),
      { numRuns: 5000 },
    );
  });

  it("replaces bytes that are not UTF-8 as Node's decoder does", () => {
    const byte = fc.oneof(fc.constantFrom(0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe4, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff), fc.integer({ min: 0x23, max: 0x5b }));
    fc.assert(
      fc.property(fc.array(byte, { minLength: 1, maxLength: 40 }), (bytes) => {
        const text = Buffer.from(bytes.filter((one) => one !== 0x22 && one !== 0x5c));
        expectSame(Buffer.concat([Buffer.from('{"text":"x'), text, Buffer.from('"}')]));
      }),
      { numRuns: 5000 },
    );
  });

  it("agrees on long texts at every distance from the end", () => {
    const draw = random(4, "lines");
    for (let i = 0; i < 400; i++) expectSame(Buffer.from(Array.from({ length: 3 }, (_, k) => JSON.stringify({ text: randomText(draw, 3 * i + k) })).join("\n") + "\n".repeat(i % 3)));
  });
});

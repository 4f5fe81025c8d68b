import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonText, MalformedLine } from "./jsonText.ts";

const field = Buffer.from("text");

/** What JSON.parse finds, the reference; nothing where there is no such string. */
function parsed(line: Uint8Array): string | undefined {
  try {
    const value = JSON.parse(Buffer.from(line).toString("utf8")) as { text?: unknown } | null;
    return typeof value === "object" && value !== null && !Array.isArray(value) && typeof value.text === "string" ? Buffer.from(value.text).toString("utf8") : undefined;
  } catch {
    return undefined;
  }
}

function scanned(line: Uint8Array): string | undefined {
  try {
    return Buffer.from(jsonText(line, field)).toString("utf8");
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedLine);
    return undefined;
  }
}

describe("jsonText", () => {
  it.each([
    '{"text":"one"}', ' {"a":[1,-2.5e+3,{"text":"x"}],"text":"two" , "b":null}\r', '{"text":"a\\n\\"\\\\\\/\\u00e9\\ud83d\\ude00\\ud83d."}',
    '{"text":"first","text":"last"}', '{"text":"first","text":1}', '{"t\\u0065xt":"escaped key"}', '{"text":"语言"}', '{"text":""}',
    "{}", "[]", "7", "", '"text"', '{"text":1}', '{"text":"a"', '{"text":"a}', '{"text":"a"}x', "{text:1}", '{"text":"a",}', '{"text":"\t"}', '{"text":"\\x"}',
    '{"text":"\\u12g4"}', '{"a":01,"text":"x"}', '{"a":1.,"text":"x"}', '{"a":-,"text":"x"}', '{"a":tru,"text":"x"}', '{"a":[1,],"text":"x"}', '{"a":1e,"text":"x"}',
    '{"a":"\\"","text":"x"}', '{"a":{"b":{"text":"inner"}},"text":"outer"}', '{"a":.5,"text":"x"}', '{"a":true,"b":false,"text":"x"}',
  ])("agrees with JSON.parse on %s", (line) => {
    expect(scanned(Buffer.from(line))).toBe(parsed(Buffer.from(line)));
  });

  it("agrees with JSON.parse on any object", () => {
    fc.assert(
      fc.property(fc.record({ text: fc.string({ unit: "binary" }), meta: fc.jsonValue() }), fc.boolean(), (value, indented) => {
        const line = Buffer.from(JSON.stringify(value, null, indented ? 1 : 0));
        expect(scanned(line)).toBe(parsed(line));
      }),
      { numRuns: 500 },
    );
  });

  it("agrees with JSON.parse on damaged lines and on bytes that are not UTF-8", () => {
    const whole = Buffer.from('{"id":[1,2.5e-3,true],"text":"a\\u00e9\\ud83d\\ude00 \\"b\\" 语","n":{"text":null}}');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 }), fc.nat(whole.length), (changes, cut) => {
        const line = Buffer.from(whole);
        for (const [at, byte] of changes) line[at] = byte;
        for (const candidate of [line, line.subarray(0, cut)]) expect(scanned(candidate)).toBe(parsed(candidate));
      }),
      { numRuns: 5000 },
    );
  });

  it("says where a line goes wrong", () => {
    expect(() => jsonText(Buffer.from('{"text":"a" 1'), field)).toThrow('not JSON: "1" at byte 12, expected "," or "}"');
    expect(() => jsonText(Buffer.from('{"text":"a'), field)).toThrow("not JSON: the end of the line at byte 10, expected a string without control characters");
    expect(() => jsonText(Buffer.from('{"txt":"a"}'), field)).toThrow('no string "text"');
    expect(() => jsonText(Buffer.from(`${"[".repeat(100_000)}`), field)).toThrow("nested deeper than 512");
  });
});

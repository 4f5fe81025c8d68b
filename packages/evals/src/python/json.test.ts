import { describe, expect, it } from "vitest";
import { floatRepr, PythonFloat, pythonJson, pythonRepr } from "./json.ts";

// Every expected value below was printed by CPython 3.11.
describe("floatRepr", () => {
  it.each([
    [1, "1.0"],
    [-0, "-0.0"],
    [0.1, "0.1"],
    [1e-4, "0.0001"],
    [1e-5, "1e-05"],
    [-1.5e-7, "-1.5e-07"],
    [123456789012345.6, "123456789012345.6"],
    [1e15, "1000000000000000.0"],
    [1e16, "1e+16"],
    [1.25e300, "1.25e+300"],
    [Number.NaN, "nan"],
    [-1 / 0, "-inf"],
  ])("writes %d as Python does", (x, expected) => expect(floatRepr(x)).toBe(expected));
});

describe("pythonJson", () => {
  it("separates, escapes and sorts as json.dumps does", () => {
    expect(pythonJson(["é😀\x7f\u2028", 1, { b: 0.5, a: null }], { sortKeys: true })).toBe('["\\u00e9\\ud83d\\ude00\\u007f\\u2028", 1, {"a": null, "b": 0.5}]');
    expect(pythonJson({ text: "é\n\x01\x7f", list: [], flag: true }, { indent: 2, ensureAscii: false })).toBe('{\n  "text": "é\\n\\u0001\x7f",\n  "list": [],\n  "flag": true\n}');
    expect(pythonJson([new PythonFloat(2), 2, Number.NaN, 1e-7])).toBe("[2.0, 2, NaN, 1e-07]");
    expect(pythonJson({ "\u{1f600}": 1, "\ufb01": 2, ab: 3, a: 4 }, { sortKeys: true })).toBe('{"a": 4, "ab": 3, "\\ufb01": 2, "\\ud83d\\ude00": 1}');
  });
});

describe("pythonRepr", () => {
  it("quotes as Python does", () => {
    expect(pythonRepr(["it's", 'a"b\'', "x\n\u3000\x7f", true, null, { a: 1 }])).toBe(`["it's", 'a"b\\'', 'x\\n\\u3000\\x7f', True, None, {'a': 1}]`);
  });
});

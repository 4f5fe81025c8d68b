import { describe, expect, it } from "vitest";
import { capitalize, codePoints, countWords, indexOf, lstrip, pythonSlice, rstrip, splitWords, strip } from "./text.ts";

// Every expected value below was printed by CPython 3.11.
describe("Python text", () => {
  it("counts and slices code points", () => {
    expect(codePoints("a😀é")).toBe(3);
    expect(pythonSlice("a😀bc", 1, 3)).toBe("😀b");
    expect(pythonSlice("a😀bc", -2)).toBe("bc");
    expect(indexOf("😀_x", "_")).toBe(1);
    expect(() => indexOf("abc", "_")).toThrow(/"_" is not in the text "abc"/);
  });

  it("strips what Python calls white space, which is not what trim removes", () => {
    expect(strip("\x1c\x85 a\u3000\x1f")).toBe("a");
    expect(strip("\ufeffa\ufeff")).toBe("\ufeffa\ufeff");
    expect(rstrip(" a \n")).toBe(" a");
    expect(lstrip(" a ")).toBe("a ");
    expect(splitWords(" a\x85b\u2003 c ")).toEqual(["a", "b", "c"]);
    expect(splitWords(" ")).toEqual([]);
    expect(countWords(" a b")).toBe(3);
  });

  it("capitalizes the first character and lowers the rest", () => {
    expect(["THE man", "ßEN", "ǆA", "éCOLE", "4X", "", "ŉA"].map(capitalize)).toEqual(["The man", "Ssen", "ǅa", "École", "4x", "", "ʼNa"]);
  });
});

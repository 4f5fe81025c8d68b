import { describe, expect, it } from "vitest";
import { findAll, pythonRegex } from "./regex.ts";

// Every expected value below was printed by CPython 3.11.
describe("pythonRegex", () => {
  it("matches as re does", () => {
    expect(findAll(pythonRegex("#### (\\-?[0-9\\.\\,]+)"), "a #### -1,234.5 b #### 7")).toEqual(["-1,234.5", "7"]);
    expect(findAll(pythonRegex("(-?[$0-9.,]{2,})|(-?[0-9]+)"), "it is $12. or 7")).toEqual([["$12.", ""], ["", "7"]]);
    expect("a\nb#### 7".replace(pythonRegex("(?s).*#### "), "")).toBe("7");
    expect("7.\n".replace(pythonRegex("\\.$"), "")).toBe("7\n");
    expect(findAll(pythonRegex("\\b(True|False)\\b"), "éTrue False")).toEqual(["False"]);
    expect(findAll(pythonRegex("a.b"), "a\rb a\nb a😀b")).toEqual(["a\rb", "a😀b"]);
    expect("a\x1c\x85b\ufeff".split(pythonRegex("\\s+"))).toEqual(["a", "b\ufeff"]);
    expect(findAll(pythonRegex('(?P<q>["\\\'])x(?P=q)'), "'x' \"x'")).toEqual(["'"]);
    expect(findAll(pythonRegex("{[]{}]+}"), "{[}] {}]}")).toEqual(["{}]}"]);
    expect(findAll(pythonRegex("X", { ignoreCase: true }), "xX")).toEqual(["x", "X"]);
  });

  it("refuses what it cannot translate", () => {
    expect(() => pythonRegex("(?L)a")).toThrow(/inline flags \(\?L\)/);
    expect(() => pythonRegex("(a")).toThrow(/"\(a" cannot be translated/);
  });
});

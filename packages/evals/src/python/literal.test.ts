import { EspalierError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { pythonRepr } from "./json.ts";
import { literalEval } from "./literal.ts";
import { pythonRandom } from "./random.ts";

describe("literalEval", () => {
  it.each<[string, unknown]>([
    ["['a', \"it's\", 'b\\n\\u00e9']", ["a", "it's", "b\né"]],
    ["('''x\ny''', r'\\n', 'a' 'b')", ["x\ny", "\\n", "ab"]],
    ["[1, -2.5, 1e3, True, None, (1,), (2)]", [1, -2.5, 1000, true, null, [1], 2]],
    ["{'a': [1], 'b': {}}", { a: [1], b: {} }],
    [" 'x' ", "x"],
    ["1, 2", [1, 2]],
    ["[]", []],
  ])("%s", (text, expected) => expect(literalEval(text)).toEqual(expected));

  it.each(["", "[", "[1 2]", "a", "f('x')", "'a", "['a']]", "b'x'", "1 +", `${"[".repeat(1000)}`])("refuses %j", (text) => expect(() => literalEval(text)).toThrow(/expected a Python literal/));

  it("reads back what repr writes, and fails in one way on anything else", () => {
    const { choices } = pythonRandom(4);
    for (let i = 0; i < 3000; i++) {
      const texts = Array.from({ length: i % 4 }, () => choices(["a", "'", '"', "\\", "\n", "é", "😀", "\u2028", " ", "\x7f", "x41"], i % 7).join(""));
      expect(literalEval(pythonRepr(texts))).toEqual(texts);
      const noise = choices(["[", "]", "'", '"', "\\", ",", "1", "a", "(", ")", "{", "}", ":", "\n", "'''"], i % 12).join("");
      try {
        literalEval(noise);
      } catch (error) {
        expect(error, noise).toBeInstanceOf(EspalierError);
      }
    }
  });
});

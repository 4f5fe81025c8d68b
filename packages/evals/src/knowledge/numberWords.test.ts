import { describe, expect, it } from "vitest";
import { bbh } from "./bbh/task.ts";
import { numberFilter, wordsToNumber } from "./numberWords.ts";

/** As the pattern of lm-evaluation-harness under Python's `regex` finds them and word2number reads them. */
describe("numberFilter", () => {
  const first = numberFilter("([-0-9]+)");
  const last = numberFilter("([-0-9]+)", { groupSelect: -1 });

  it.each([
    ["I count 12 of them, or twelve.", "12"],
    ["fourteen", "4"], // the pattern takes "four" first
    ["There are twenty one, I think", "21"],
    ["Three hundred and twenty", "320"],
    ["two thousand three hundred", "2300"],
    ["one billion two million three thousand and four", "1002003004"],
    ["seven", "[invalid]"], // the pattern wants a longer word after a bare seven
    ["sixty seven", "60"],
    ["seventy eight thousand", "70"], // a bare eight ends nothing
    ["people of ten often agree", "10"],
    ["none", "1"], // within words as well
    ["thousand thousand", "[invalid]"], // the harness ends with an error
    ["", "[invalid]"],
  ])("reads %j as %s", (text, number) => {
    expect(first(text)).toBe(number);
  });

  it("takes the last where that counts", () => {
    expect(last("one, two, then five. No: forty four. Or eleven\nand ten")).toBe("10");
    expect(last("4 and 5")).toBe("5");
  });
});

describe("wordsToNumber", () => {
  const ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(" ");
  const TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
  const spoken = (n: number): string => {
    if (n < 20) return ONES[n]!;
    if (n < 100) return `${TENS[Math.floor(n / 10)]}${n % 10 === 0 ? "" : `-${ONES[n % 10]}`}`;
    if (n < 1000) return `${ONES[Math.floor(n / 100)]} hundred${n % 100 === 0 ? "" : ` and ${spoken(n % 100)}`}`;
    return `${spoken(Math.floor(n / 1000))} thousand${n % 1000 === 0 ? "" : ` ${spoken(n % 1000)}`}`;
  };

  it("reads every number below 10,000 as it is spoken", () => {
    for (let n = 0; n < 10_000; n++) expect(wordsToNumber(spoken(n)), spoken(n)).toBe(n);
  });

  it.each([["", undefined], ["fish", undefined], ["two thousand million", undefined], ["thousand and one", undefined], ["one billion two thousand", 1_000_003_002], ["five six seven eight nine", 5]])("keeps the gaps: %j is %s", (text, number) => {
    expect(wordsToNumber(text)).toBe(number);
  });
});

describe("Big-Bench Hard's extraction", () => {
  const extract = (subtask: string, form: "zeroshot" | "cot_zeroshot", text: string, input = "") => bbh(subtask, form).filters!.map(({ name, apply }) => [name, apply(text, { input })]);

  it("takes the first match of an answer and the last of steps", () => {
    expect(extract("object_counting", "zeroshot", "two plums and 3 pears")).toEqual([["strict-match", "two plums and 3 pears"], ["flexible-extract", "3"]]);
    expect(extract("object_counting", "cot_zeroshot", "One pear, two plums. The answer is three.")).toEqual([["flexible-extract", "3"], ["strict-match", "three"]]);
    expect(extract("navigate", "zeroshot", "No, or Yes.")[1]).toEqual(["flexible-extract", "No"]);
    expect(extract("navigate", "cot_zeroshot", "No, or Yes.")).toEqual([["flexible-extract", "Yes"], ["strict-match", "[invalid]"]]);
    expect(extract("web_of_lies", "cot_zeroshot", "Ann tells the truth. Bo does not tell the truth.")[0]).toEqual(["flexible-extract", "no"]);
    expect(extract("word_sorting", "cot_zeroshot", "b a, sorted: a b", "List: b a")[0]).toEqual(["flexible-extract", "a b"]);
    expect(extract("date_understanding", "cot_zeroshot", "Not (A). So the answer is (B).", "Options:\n(A) 1\n(B) 2")[0]).toEqual(["flexible-extract", "(B)"]);
  });

  it("asks for steps", () => {
    expect(bbh("navigate", "cot_zeroshot").text({ input: "Turn." })).toBe("Q: Turn.\nA: Let's think step by step.");
    expect(bbh("navigate", "cot_zeroshot").name).toBe("bbh_cot_zeroshot_navigate");
  });
});

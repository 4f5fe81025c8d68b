import { DataError, EspalierError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { randomModel } from "../../models/mock.ts";
import { pythonRandom } from "../../python/random.ts";
import { evaluateKnowledge } from "../evaluateKnowledge.ts";
import { scoreDocument } from "../metrics.ts";
import { requestsOf } from "../requests.ts";
import { chid, chidSet, readChid } from "./chid.ts";
import { cmrc, readCmrc } from "./cmrc.ts";
import { cmrcScores, cmrcUnits, englishWords, longestCommonRun } from "./cmrcScores.ts";
import { iflytekKinds, iflytekSet, readIflytek } from "./iflytek.ts";

const lines = (...rows: unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
const asked = (set: Parameters<typeof requestsOf>[0]) => requestsOf(set).map(({ requests }) => requests.map(({ context, continuation }) => `${context}|${continuation}`));

describe("IFLYTEK", () => {
  const train = lines({ label: "10", label_des: "买菜", sentence: "送菜到家" }, { label: "2", label_des: "下棋", sentence: "和朋友下棋" });
  const dev = lines({ label: "10", label_des: "买菜", sentence: "新鲜的菜" });

  it("asks for a kind among those of both files, in the order of their numbers", () => {
    const set = iflytekSet(dev, train);
    expect(asked(set)).toEqual([["应用描述：新鲜的菜\n问题：这个应用属于哪一类？\n答案：|下棋", "应用描述：新鲜的菜\n问题：这个应用属于哪一类？\n答案：|买菜"]]);
    expect([set.task.target(set.docs[0]!), set.task.chance, set.fewshotDocs!.length]).toEqual([1, 1 / 2, 2]);
    expect(set.task.metrics.map(({ name }) => name)).toEqual(["acc", "acc_norm"]);
    expect(iflytekSet(dev).task.chance).toBe(1);
  });

  it("refuses other rows by place, and one number with two meanings", () => {
    expect(() => readIflytek(`${dev}{"label": "1", "sentence": "无"}`)).toThrow(/^readIflytek: row 2 has label_des undefined, expected text\. Take/);
    expect(() => readIflytek(lines({ label: "x", label_des: "甲", sentence: "乙" }))).toThrow(DataError);
    expect(() => iflytekKinds(readIflytek(dev + lines({ label: "10", label_des: "卖菜", sentence: "菜" })))).toThrow(/label 10 is described as 买菜 and as 卖菜/);
    expect(() => iflytekSet(dev).task.target({ label_des: "游泳" })).toThrow(/expected one of 1 kinds: 买菜/);
  });
});

describe("ChID", () => {
  const candidates = ["一心一意", "三心二意", "七上八下"];
  const questions = lines(
    { candidates, content: ["他#idiom000001#地做，她#idiom000002#。", "没有空"] },
    { candidates, content: ["又#idiom000003#了"] },
  );
  const answers = '{"#idiom000001#": 0, "#idiom000002#": 2, "#idiom000003#": 1}';

  it("asks for a gap at a time and clusters those of a line", async () => {
    const set = chidSet(questions, answers, questions, answers);
    expect(asked(set).map(([first]) => first)).toEqual([
      "文章：他____地做，她……。\n问题：横线处应填入哪个成语？\n答案：|一心一意",
      "文章：他……地做，她____。\n问题：横线处应填入哪个成语？\n答案：|一心一意",
      "文章：又____了\n问题：横线处应填入哪个成语？\n答案：|一心一意",
    ]);
    expect(set.docs.map((doc) => chid.target(doc))).toEqual([0, 2, 1]);
    expect([set.task.chance, set.fewshotDocs!.length]).toEqual([1 / 3, 3]);
    const { tasks: [result] } = await evaluateKnowledge(randomModel(2), [set]);
    expect(result!.samples.map(({ target, cluster }) => [target, cluster])).toEqual([["一心一意", "1"], ["七上八下", "1"], ["三心二意", "2"]]);
  });

  it("knows no chance where lists differ in length", () => {
    expect(chidSet(questions + lines({ candidates: ["甲", "乙"], content: ["#idiom000001#"] }), answers).task.chance).toBeUndefined();
  });

  it.each([
    ["{", answers, /line 1 is not JSON/],
    [questions, "{", /the answers are not JSON, expected an object from mark to index\. Check/],
    [questions, "[0]", /the answers are \[0\], expected an object/],
    [questions, "{}", /row 1 has the gap #idiom000001# without an answer\. Take/],
    [questions, answers.replace("2", "3"), /the answer of #idiom000002# is|the gap/],
    [questions, answers.replace(": 2", ': "2"'), /the answer of #idiom000002# is "2", expected the index of one of 3 candidates/],
    [lines({ content: ["#idiom000001#"] }), answers, /row 1 has candidates undefined, expected a list of texts/],
    [lines({ candidates, content: "#idiom000001#" }), answers, /row 1 has content "#idiom000001#", expected a list of texts/],
  ])("refuses %s with %s", (text, right, message) => {
    expect(() => readChid(text, right)).toThrow(message);
    expect(() => readChid(text, right)).toThrow(DataError);
  });
});

describe("CMRC 2018", () => {
  const file = JSON.stringify({
    version: "x",
    data: [{ id: "A", title: "塔", paragraphs: [{ id: "A_1", context: "塔建于1905年，高30米。", qas: [
      { id: "A_1_Q1", question: "塔多高？", answers: [{ text: "30米", answer_start: 10 }, { text: "30米", answer_start: 10 }, { text: "高30米", answer_start: 9 }] },
      { id: "A_1_Q2", question: "何时建？", answers: [{ text: "1905年", answer_start: 3 }] },
    ] }] }],
  });

  it("asks for the answer as text and scores it by exact match and F1", async () => {
    const docs = readCmrc(file);
    expect(docs.map(({ id, answers }) => [id, answers])).toEqual([["A_1_Q1", ["30米", "高30米"]], ["A_1_Q2", ["1905年"]]]);
    const [request] = requestsOf({ task: cmrc, docs });
    expect(request!.prompt).toBe("文章：塔建于1905年，高30米。\n问题：塔多高？\n答案：");
    expect(scoreDocument(cmrc, docs[0]!, { loglikelihoods: [], generated: " 30米。" })).toEqual({ em: 1, f1: 1 });
    expect(scoreDocument(cmrc, docs[0]!, { loglikelihoods: [], generated: "有30米" })).toEqual({ em: 0, f1: 4 / 5 });
    const { tasks: [result] } = await evaluateKnowledge(randomModel(3), [{ task: cmrc, docs }]);
    expect(result!.scores.map(({ metric, value }) => [metric, value >= 0 && value <= 1])).toEqual([["em", true], ["f1", true]]);
    const shown = requestsOf({ task: cmrc, docs: docs.slice(1), fewshotDocs: docs.slice(0, 1) }, { numFewshot: 1 })[0]!.prompt;
    expect(shown).toBe("文章：塔建于1905年，高30米。\n问题：塔多高？\n答案：30米\n\n文章：塔建于1905年，高30米。\n问题：何时建？\n答案：");
  });

  it.each([
    ["{", /the text is not JSON/],
    ["[]", /data of the file is missing, expected a list/],
    ['{"data": [{}]}', /paragraphs of article 1 is missing/],
    ['{"data": [{"paragraphs": [{"context": 1}]}]}', /context of paragraph 1 of article 1 is 1, expected text/],
    ['{"data": [{"paragraphs": [{"context": "c", "qas": [null]}]}]}', /answers of question 1 of paragraph 1 of article 1 is missing/],
    ['{"data": [{"paragraphs": [{"context": "c", "qas": [{"answers": []}]}]}]}', /question 1 of paragraph 1 of article 1 has no answers/],
  ])("refuses %s", (text, message) => {
    expect(() => readCmrc(text)).toThrow(message);
    expect(() => readCmrc(text)).toThrow(/^readCmrc: .+, .+\. (Take|Check) /);
  });

  it("fails only by saying what is wrong, whatever the file", () => {
    const { choices, randbelow } = pythonRandom(6);
    const row = lines({ candidates: ["甲", "乙"], content: ["#idiom1#"] });
    for (let i = 0; i < 2000; i++) {
      const characters = [...(i % 2 === 0 ? file : row)];
      for (let k = 0; k <= i % 3; k++) characters.splice(randbelow(characters.length), randbelow(6), ...choices(['"', "{", "}", "[", "]", ",", ":", "1", "null", "x"], randbelow(3)));
      const text = characters.join("");
      for (const read of [() => readCmrc(text), () => readChid(text, '{"#idiom1#": 1}'), () => readIflytek(text)]) {
        try {
          read();
        } catch (error) {
          expect(error, text).toBeInstanceOf(EspalierError);
        }
      }
    }
  });
});

describe("scores of CMRC 2018", () => {
  it("takes each Chinese character and each English word as a unit, marks left out", () => {
    expect(cmrcUnits(" 《Moby-Dick》是 Herman Melville写的…… ")).toEqual(["mobydick", "是", "herman", "melville", "写", "的", "……"]);
    expect(cmrcUnits("（约3,000.5km）")).toEqual(["约", "3,000.5km"]);
    expect(cmrcUnits("")).toEqual([]);
  });

  // As NLTK's Treebank words has them.
  it.each([
    ["it's 5% (or 6).", "it|'s|5|%|(|or|6|)|."],
    ["don't stop, u.s. rules", "do|n't|stop|,|u.s.|rules"],
    ["a;b c@d...", "a|;|b|c|@|d|..."],
    ["rock'n'roll o'neil", "rock'n'roll|o'neil"],
    ["the 'big' one, james' book", "the|'|big|'|one|,|james|'|book"],
    ["9:30pm, a:b $3.50", "9:30pm|,|a|:|b|$|3.50"],
    ["we're they'll i'd've", "we|'re|they|'ll|i'd|'ve"],
  ])("parts %s", (text, words) => {
    expect(englishWords(text).join("|")).toBe(words);
  });

  it("counts the longest run, not shared units", () => {
    expect(cmrcScores("甲丙乙", ["甲乙"])).toEqual({ em: 0, f1: 2 / 5 });
    expect(cmrcScores("甲乙", ["丁", "甲乙丙"])).toEqual({ em: 0, f1: 4 / 5 });
    expect(cmrcScores("", ["甲"])).toEqual({ em: 0, f1: 0 });
    expect(cmrcScores("“甲”。", ["甲"])).toEqual({ em: 1, f1: 1 });
  });

  it("finds the run that trying every place finds", () => {
    const { choices, randbelow } = pythonRandom(9);
    for (let i = 0; i < 300; i++) {
      const [a, b] = [choices(["甲", "乙", "x"], randbelow(9)), choices(["甲", "乙", "x"], randbelow(9))];
      let plain = 0;
      for (let s = 0; s < a.length; s++) for (let t = 0; t < b.length; t++) for (let n = 1; s + n <= a.length && t + n <= b.length && a[s + n - 1] === b[t + n - 1]; n++) plain = Math.max(plain, n);
      expect(longestCommonRun(a, b)).toBe(plain);
    }
  });
});

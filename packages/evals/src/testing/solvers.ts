/**
 * Independent solvers: each reads only the prompt and works out the answer in another way than the generator built it.
 * They share no code with the generators.
 */

import { logicSolvers } from "./solve/logic.ts";
import { numberSolvers } from "./solve/numbers.ts";
import { procedureSolvers } from "./solve/procedures.ts";
import { longStorySolvers, retrievalSolvers } from "./solve/retrieval.ts";
import { stringSolvers } from "./solve/strings.ts";
import { worldSolvers } from "./solve/world.ts";

type Solver = (prompt: string) => string;

const lastLine = (prompt: string): string => prompt.split("\n").at(-1)!;

/** `x -> y` lines and the query of a prompt, as lists of symbols. */
function shotsOf(prompt: string): { pairs: [string[], string[]][]; query: string[]; join: string } {
  const lines = prompt.split("\n").filter((line) => line.includes("->"));
  const spaced = lines[0].split(" ->")[0].includes(" ");
  const list = (text: string) => (spaced ? text.trim().split(" ") : [...text.trim()]);
  const pairs = lines.slice(0, -1).map((line): [string[], string[]] => {
    const [x, y] = line.split(" -> ");
    return [list(x), list(y)];
  });
  return { pairs, query: list(lines.at(-1)!.replace(/ ->$/, "")), join: spaced ? " " : "" };
}

/** The one answer on which all hypotheses that explain every shot agree. */
function onlyAnswer(candidates: readonly (string | undefined)[], prompt: string): string {
  const answers = new Set(candidates.filter((answer) => answer !== undefined));
  if (answers.size !== 1) throw new Error(`${answers.size} answers explain the shots of ${JSON.stringify(prompt)}`);
  return [...answers][0];
}

function solveHeadTail(prompt: string): string {
  const { pairs, query, join } = shotsOf(prompt);
  const [x, y] = pairs[0];
  const hypotheses = Array.from({ length: y.length - x.length + 1 }, (_, at) => {
    const rule = (input: string[]) => [...y.slice(0, at), ...input, ...y.slice(at + x.length)].join(join);
    return pairs.every(([input, output]) => rule(input) === output.join(join)) ? rule(query) : undefined;
  });
  return onlyAnswer(hypotheses, prompt);
}

function solveRepeating(prompt: string): string {
  const { pairs, query, join } = shotsOf(prompt);
  return onlyAnswer(
    [1, 2, 3, 4, 5].map((times) => {
      const rule = (input: string[]) => Array<string>(times).fill(input.join(join)).join(join);
      return pairs.every(([input, output]) => rule(input) === output.join(join)) ? rule(query) : undefined;
    }),
    prompt,
  );
}

function solveSlicing(prompt: string): string {
  const { pairs, query, join } = shotsOf(prompt);
  const k = pairs[0][1].length;
  if (!pairs.every(([x, y]) => y.length === k && x.join(join).startsWith(y.join(join)))) throw new Error("shots disagree");
  return query.slice(0, k).join(join);
}

function solveCounting(prompt: string): string {
  const match = /^Count from (\w+) to (\w+)(?: in steps of (\w+))?(?: in base (\d+))?:$/.exec(prompt)!;
  const base = Number(match[4] ?? 10);
  const [start, end, step] = [match[1], match[2], match[3] ?? "1"].map((digits) => Number.parseInt(digits, base));
  const terms: string[] = [];
  for (let n = start; n <= end; n += step) terms.push(n.toString(base));
  return terms.join(", ");
}

function solveReplaceWord(prompt: string): string {
  const [, rules, text] = /^Replace (.*): (.*) ->$/.exec(lastLine(prompt))!;
  let result = `  ${text.replaceAll(" ", "  ")}  `; // doubled blanks let neighbours both match
  for (const rule of rules.split(", then ")) {
    const [from, to] = rule.split(" by ");
    result = result.replaceAll(` ${from} `, ` ${to} `);
  }
  return result.trim().replaceAll("  ", " ");
}

function solveRetrieval(prompt: string): string {
  const name = /The key of (\w+) is$/.exec(prompt)![1];
  return new RegExp(`The key of ${name} is (\\d+)\\.`).exec(prompt)![1];
}

/** Statements of the last story, latest first. */
const storyBackwards = (prompt: string): string[] => prompt.split("\n\n").at(-1)!.split("\n").slice(0, -1).reverse();

/** Place of an actor, looking backwards from the given statements. */
function placeOf(name: string, backwards: readonly string[]): string {
  const move = backwards.map((line) => /^(\w+) (?:went|moved) to the (\w+)\.$/.exec(line)).find((found) => found?.[1] === name);
  return move![2];
}

function solveObject(prompt: string): string {
  const thing = /Where is the (\w+)\?$/.exec(prompt)![1];
  const backwards = storyBackwards(prompt);
  const handled = backwards.findIndex((line) => line.endsWith(` got the ${thing}.`) || line.endsWith(` dropped the ${thing}.`));
  const [name, verb] = backwards[handled].split(" ");
  return placeOf(name, verb === "dropped" ? backwards.slice(handled) : backwards);
}

/** Finds the symbol of a class from shots whose class `classOf` recognises. */
function solveMapping(prompt: string, classOf: (text: string) => number): string {
  const examples = prompt.split("\n").slice(1);
  const query = examples.pop()!.replace(/ ->$/, "");
  const symbols = examples.map((line) => line.split(" -> ")).filter(([text]) => classOf(text) === classOf(query));
  return onlyAnswer(symbols.map(([, symbol]) => symbol), prompt);
}

const isFact = (text: string): number => {
  const [, thing, quality] = /Is the (\w+) (\w+)\?$/.exec(text)!;
  return text.includes(`The ${thing} is ${quality}.`) ? 1 : 0;
};

const isPlaceChinese = (text: string): number => {
  const question = text.slice(text.lastIndexOf("。") + 1, -1);
  return text.includes(`${question}。`) ? 1 : 0;
};

const isSame = (text: string): number => {
  const [left, right] = text.split(" | ");
  return left === right ? 1 : 0;
};

function solveInduction(prompt: string): string {
  const words = prompt.split(" ");
  return words[words.indexOf(words.at(-1)!) + 1];
}

function solveAssociativeRecall(prompt: string): string {
  const [table, queries] = prompt.split("; ");
  const values = Object.fromEntries(table.split(", ").map((pair) => pair.split(" ") as [string, string]));
  const answered = queries.split(", ");
  const key = answered.pop()!;
  if (!answered.every((pair) => values[pair.split(" ")[0]] === pair.split(" ")[1])) throw new Error("an answered query is wrong");
  return values[key];
}

/** Solver of each task of the table, for the default numerals and labels. */
export const solvers: Readonly<Record<string, Solver>> = {
  symbolMappingPairs: (prompt) => solveMapping(prompt, isSame),
  symbolMappingFacts: (prompt) => solveMapping(prompt, isFact),
  symbolMappingChinese: (prompt) => solveMapping(prompt, isPlaceChinese),
  counting: solveCounting,
  replaceLowercase: (prompt) => lastLine(prompt).replace(/ ->$/, "").toLowerCase(),
  replaceWord: solveReplaceWord,
  headTail: solveHeadTail,
  fullRepeating: solveRepeating,
  headSlicing: solveSlicing,
  multipleKeyRetrieval: solveRetrieval,
  singleSupportingFact: (prompt) => placeOf(/Where is (\w+)\?$/.exec(prompt)![1], storyBackwards(prompt)),
  twoSupportingFacts: solveObject,
  copying: (prompt) => lastLine(prompt).replace(/ =$/, ""),
  induction: solveInduction,
  associativeRecall: solveAssociativeRecall,
  ...procedureSolvers,
  ...retrievalSolvers,
  ...longStorySolvers,
  ...stringSolvers,
  ...numberSolvers,
  ...logicSolvers,
  ...worldSolvers,
};

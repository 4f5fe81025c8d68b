/** Solvers of the reasoning families over strings: each reads the prompt's last line alone and shares no code with its generator. */

const query = (prompt: string): string => prompt.slice(prompt.lastIndexOf("\n") + 1).replace(/ ->$/, "");

function stringManipulation(prompt: string): string {
  const [start, listed] = query(prompt).split("; ");
  const rules = listed.split(", ");
  const next = (text: string): string => {
    for (const rule of rules) {
      const at = text.indexOf(rule.slice(0, 2));
      if (at >= 0) return next(text.slice(0, at) + rule[3] + text.slice(at + 2));
    }
    return text;
  };
  return next(start);
}

function stringInsertion(prompt: string): string {
  const [, text, letter, pattern] = /^(\w+); (\w) after (\w+)$/.exec(query(prompt))!;
  return text.replace(new RegExp(`(?<=${pattern})`, "g"), letter); // behind each occurrence, overlapping ones too
}

function wordSorting(prompt: string): string {
  const words = query(prompt).split(" ");
  const sorted: string[] = [];
  for (const word of words) sorted.splice(sorted.filter((other) => other < word).length, 0, word); // insertion sort
  return sorted.join(" ");
}

function numberSorting(prompt: string): string {
  const [direction, ...numbers] = query(prompt).split(" ");
  const rising: string[] = [];
  for (const number of numbers) rising.splice(rising.filter((other) => Number(other) < Number(number)).length, 0, number);
  return (direction === "up" ? rising : rising.reverse()).join(" ");
}

function caesarCipher(prompt: string): string {
  const [word, by] = query(prompt).split(" +");
  return String.fromCharCode(...[...word].map((letter) => {
    const code = letter.charCodeAt(0) + Number(by);
    return code > 122 ? code - 26 : code;
  }));
}

function dyckLanguages(prompt: string): string {
  let text = query(prompt).replaceAll(" ", "");
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(/\(\)|\[\]|\{\}|<>/g, "");
  }
  const partner: Record<string, string> = { "(": ")", "[": "]", "{": "}", "<": ">" };
  return [...text].map((open) => partner[open]).reverse().join(" ");
}

/** What each hidden function does, told apart from the generator's list: every one that fits the shots must agree. */
const LIST_FUNCTIONS: ((list: number[]) => number[])[] = [
  (list) => list.reduceRight<number[]>((out, n) => [...out, n], []),
  (list) => [...list].sort((a, b) => a - b),
  ([, ...rest]) => rest,
  (list) => list.map((n) => n + 1),
  ([first, ...rest]) => [...rest, first],
  (list) => list.map((n) => n + n),
  (list) => list.filter((n) => !(n & 1)),
  (list) => list.reduce<number[]>((out, n) => [...out, (out.at(-1) ?? 0) + n], []),
  (list) => [...new Set(list)],
  (list) => list.reduce<number[]>((out, n, k) => (k === 0 ? out : [...out, n - list[k - 1]]), []),
  (list) => {
    const largest = Math.max(...list);
    const rest = list.toSpliced(list.indexOf(largest), 1);
    return [largest, Math.max(...rest)];
  },
  (list) => {
    const [even, odd]: [number[], number[]] = [[], []];
    list.forEach((n, k) => (k % 2 === 0 ? even : odd).push(n));
    return even.concat(odd);
  },
];

function listFunctions(prompt: string): string {
  const list = (text: string) => text.slice(1, -1).split(" ").map(Number);
  const lines = prompt.split("\n");
  const asked = list(lines.pop()!.replace(" ->", ""));
  const shots = lines.map((line) => line.split(" -> "));
  const answers = new Set(
    LIST_FUNCTIONS.filter((apply) => shots.every(([from, to]) => `[${apply(list(from)).join(" ")}]` === to)).map((apply) => `[${apply(asked).join(" ")}]`),
  );
  return [...answers].join(" or ");
}

export const stringSolvers = {
  spellBackward: (prompt: string): string => [...query(prompt)].reduceRight((text, letter) => text + letter, ""),
  letterCounting: (prompt: string): string => {
    const [, letter, text] = /^(\w) in (\w+):$/.exec(query(prompt))!;
    return String(text.split(letter).length - 1);
  },
  wordSorting,
  numberSorting,
  stringManipulation,
  stringInsertion,
  caesarCipher,
  dyckLanguages,
  listFunctions,
};

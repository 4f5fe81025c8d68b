/**
 * Exact match and F1 of CMRC 2018, by the rules of the evaluation script that CLUE uses: lower case, a fixed set of marks
 * left out, each Chinese character a unit and the text between them in English words; overlap is the longest run of units
 * that both texts have in common, not the number of shared ones.
 */

import { PYTHON_SPACE, splitWords, strip } from "../../python/text.ts";

/** Marks left out. The script also lists a double ellipsis, which no single character equals, so an ellipsis stays. */
const LEFT_OUT = new Set("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』");

/** U+4E00 to U+9FA5: the script's Chinese characters, extensions not among them. */
const isChinese = (character: string): boolean => character >= "\u4e00" && character <= "\u9fa5" && character.length === 1;

const bare = (text: string): string => [...strip(text.toLowerCase())].filter((character) => !LEFT_OUT.has(character)).join("");

const BEFORE_CLOSING = new RegExp(`([^.])\\.([\\])}>"'»”’${PYTHON_SPACE}]*)$`, "u");

/**
 * English words in the manner of the Penn Treebank: marks, brackets, double quotes, endings such as 's and n't are words
 * of their own; points only at the end or in runs; commas and colons inside numbers stay.
 */
export function englishWords(text: string): string[] {
  const parted = ` ${text} `
    .replace(/["«“‘„»”’]|''/gu, (quote) => ` ${quote} `)
    .replace(/(?<![\w'])'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)/gi, " ' ")
    .replace(/([:,])(?!\d)/g, " $1 ")
    .replace(/\.{2,}/g, (points) => ` ${points} `)
    .replace(/[;@#$%&?!*()[\]{}<>]/g, (mark) => ` ${mark} `);
  return splitWords(
    strip(parted)
      .replace(BEFORE_CLOSING, "$1 . $2")
      .replace(/([^' ])('(?:s|m|d|ll|re|ve)|n't|')(?= |$)/gi, "$1 $2"),
  );
}

/** Units that F1 compares. */
export function cmrcUnits(text: string): string[] {
  const units: string[] = [];
  let between = "";
  const flush = () => {
    units.push(...englishWords(between));
    between = "";
  };
  for (const character of bare(text)) {
    if (!isChinese(character)) between += character;
    else {
      flush();
      units.push(character);
    }
  }
  flush();
  return units;
}

/** Length of the longest run of units that stands in both lists. O(n m) time, O(m) memory. */
export function longestCommonRun(a: readonly string[], b: readonly string[]): number {
  let longest = 0;
  let previous = new Uint32Array(b.length + 1);
  for (const unit of a) {
    const current = new Uint32Array(b.length + 1);
    for (let j = 0; j < b.length; j++) {
      if (b[j] === unit) current[j + 1] = previous[j]! + 1;
      longest = Math.max(longest, current[j + 1]!);
    }
    previous = current;
  }
  return longest;
}

/**
 * The better of each score over all answers, in [0, 1]: `em` is equality without marks, `f1 = 2 run / (|prediction| + |answer|)`
 * in units, run as in {@link longestCommonRun}.
 */
export function cmrcScores(prediction: string, answers: readonly string[]): { em: number; f1: number } {
  const units = cmrcUnits(prediction);
  return {
    em: Number(answers.some((answer) => bare(answer) === bare(prediction))),
    f1: Math.max(
      ...answers.map((answer) => {
        const expected = cmrcUnits(answer);
        const run = longestCommonRun(expected, units);
        return run === 0 ? 0 : (2 * run) / (units.length + expected.length);
      }),
    ),
  };
}

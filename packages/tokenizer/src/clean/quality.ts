/** Why a document is dropped, or nothing. The sentence holds the measured value. */
export type QualityRule = (text: string) => string | undefined;

const STOP_WORDS = new Set(["the", "be", "to", "of", "and", "that", "have", "with"]);
const LETTER = /\p{L}/u;

const wordsOf = (text: string): string[] => text.split(/\s+/).filter(Boolean);
const linesOf = (text: string): string[] => text.split(/\n+/).filter((line) => line.trim() !== "");
const times = (text: string, part: string): number => text.split(part).length - 1;
const round = (value: number): number => Number(value.toPrecision(3));

/**
 * Quality rules of Gopher: 50 to 100,000 words, of mean length 3 to 10, at most one `#` or ellipsis in ten words, at most
 * nine in ten lines bullets and three in ten ending in an ellipsis, letters in eight of ten words, two stop words.
 * Made for English: the rules of word length and stop words drop other languages. Words are what white space separates.
 *
 * @see Rae et al. 2021, arXiv:2112.11446, appendix A.1.1
 */
export const gopherQuality: QualityRule = (text) => {
  const words = wordsOf(text);
  if (words.length < 50 || words.length > 100_000) return `${words.length} words`;
  const meanLength = words.reduce((sum, word) => sum + word.length, 0) / words.length;
  if (meanLength < 3 || meanLength > 10) return `mean word length ${round(meanLength)}`;
  const symbols = Math.max(times(text, "#"), times(text, "...") + times(text, "…")) / words.length;
  if (symbols > 0.1) return `${round(symbols)} symbols a word`;
  const lines = linesOf(text);
  const share = (test: (line: string) => boolean) => lines.filter((line) => test(line.trim())).length / lines.length;
  const bullets = share((line) => /^[•-]/.test(line));
  if (bullets > 0.9) return `${round(bullets)} of the lines are bullets`;
  const ellipses = share((line) => /(\.\.\.|…)$/.test(line));
  if (ellipses > 0.3) return `${round(ellipses)} of the lines end in an ellipsis`;
  const alphabetic = words.filter((word) => LETTER.test(word)).length / words.length;
  if (alphabetic < 0.8) return `${round(alphabetic)} of the words hold a letter`;
  const stopWords = new Set(words.filter((word) => STOP_WORDS.has(word.toLowerCase())).map((word) => word.toLowerCase())).size;
  return stopWords < 2 ? `${stopWords} different stop words` : undefined;
};

const TOP_NGRAMS = [[2, 0.2], [3, 0.18], [4, 0.16]] as const;
const REPEATED_NGRAMS = [[5, 0.15], [6, 0.14], [7, 0.13], [8, 0.12], [9, 0.11], [10, 0.1]] as const;

/**
 * Repetition rules of Gopher: shares of repeated lines and paragraphs (0.3 by number, 0.2 by characters), of characters
 * in the most frequent 2-, 3- and 4-gram, and in repeated 5- to 10-grams of words.
 *
 * @see Rae et al. 2021, arXiv:2112.11446, table A1
 */
export const gopherRepetition: QualityRule = (text) => {
  for (const [name, parts] of [["lines", linesOf(text)], ["paragraphs", text.split(/\n{2,}/).filter((part) => part.trim() !== "")]] as const) {
    const { number, characters } = repeated(parts);
    if (number / parts.length > 0.3) return `${round(number / parts.length)} of the ${name} are repeated`;
    if (characters / text.length > 0.2) return `${round(characters / text.length)} of the characters are in repeated ${name}`;
  }
  const words = wordsOf(text);
  for (const [n, limit] of TOP_NGRAMS) {
    const share = topNgramCharacters(words, n) / text.length;
    if (share > limit) return `${round(share)} of the characters are in one ${n}-gram`;
  }
  for (const [n, limit] of REPEATED_NGRAMS) {
    const share = repeatedNgramCharacters(words, n) / text.length;
    if (share > limit) return `${round(share)} of the characters are in repeated ${n}-grams`;
  }
  return undefined;
};

/** Parts that came up before: how many, and their characters. */
function repeated(parts: readonly string[]): { number: number; characters: number } {
  const seen = new Set<string>();
  const found = { number: 0, characters: 0 };
  for (const part of parts) {
    if (seen.has(part)) {
      found.number++;
      found.characters += part.length;
    } else seen.add(part);
  }
  return found;
}

function topNgramCharacters(words: readonly string[], n: number): number {
  const counts = new Map<string, number>();
  let most = 0;
  for (let i = 0; i + n <= words.length; i++) {
    const ngram = words.slice(i, i + n).join(" ");
    const count = (counts.get(ngram) ?? 0) + 1;
    counts.set(ngram, count);
    if (count > 1) most = Math.max(most, count * ngram.length);
  }
  return most;
}

function repeatedNgramCharacters(words: readonly string[], n: number): number {
  const seen = new Set<string>();
  let characters = 0;
  for (let i = 0; i + n <= words.length; ) {
    const ngram = words.slice(i, i + n).join("");
    if (seen.has(ngram)) {
      characters += ngram.length;
      i += n;
    } else {
      seen.add(ngram);
      i++;
    }
  }
  return characters;
}

/**
 * Rules of FineWeb's own: at least 12 of 100 lines end in punctuation, at most 67 are of 30 characters or fewer, at most
 * one character in a hundred is in a repeated line, at most three line ends for ten words.
 *
 * @see Penedo et al. 2024, arXiv:2406.17557, section 3.6
 */
export const fineWeb: QualityRule = (text) => {
  const lines = linesOf(text);
  if (lines.length === 0) return "no lines";
  const punctuated = lines.filter((line) => /[.!?"'。！？”’…]$/.test(line.trimEnd())).length / lines.length;
  if (punctuated < 0.12) return `${round(punctuated)} of the lines end in punctuation`;
  const short = lines.filter((line) => line.length <= 30).length / lines.length;
  if (short > 0.67) return `${round(short)} of the lines are short`;
  const characters = repeated(lines).characters / text.replaceAll("\n", "").length;
  if (characters > 0.01) return `${round(characters)} of the characters are in repeated lines`;
  const lineEnds = times(text, "\n") / wordsOf(text).length;
  return lineEnds > 0.3 ? `${round(lineEnds)} line ends a word` : undefined;
};

const POLICY = ["terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"];

/**
 * Rules of C4. Lines go that do not end in `.`, `?`, `!` or a quote, have fewer than three words or a word above 1,000
 * characters, or speak of JavaScript or a policy; citation marks go. Documents go that hold "lorem ipsum" or a curly
 * bracket, or have fewer than five sentences left.
 *
 * @returns the lines that stay, or why nothing does
 * @see Raffel et al. 2019, arXiv:1910.10683, section 2.2
 */
export function c4(text: string): { text: string } | { reason: string } {
  const lower = text.toLowerCase();
  if (lower.includes("lorem ipsum")) return { reason: "lorem ipsum" };
  if (text.includes("{")) return { reason: "a curly bracket" };
  const lines: string[] = [];
  let sentences = 0;
  for (const original of text.split("\n")) {
    const line = original.trim().replace(/\[\d*\]|\[edit\]|\[citation needed\]/g, "");
    const words = wordsOf(line);
    const lowerLine = line.toLowerCase();
    if (words.length < 3 || !/[.?!"”]$/.test(line) || line.endsWith("...") || words.some((word) => word.length > 1000)) continue;
    if (lowerLine.includes("javascript") || POLICY.some((phrase) => lowerLine.includes(phrase))) continue;
    sentences += Math.max(1, line.match(/[.?!]+(?=\s|["”]|$)/g)?.length ?? 0);
    lines.push(line);
  }
  return sentences < 5 ? { reason: `${sentences} sentences` } : { text: lines.join("\n") };
}

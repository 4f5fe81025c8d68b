/**
 * WikiText-2 by whole pages (Merity et al. 2016, arXiv:1609.07843): perplexity a word and a byte. CC BY-SA: a user's file
 * with a column `page`. Words and bytes are those of the page as it stands in the file, before its spaces are mended.
 */

import { pythonRegex } from "../../python/regex.ts";
import { countWords, utf8Bytes } from "../../python/text.ts";
import { type KnowledgeTask, textOf } from "../task.ts";

/** What lm-evaluation-harness undoes of the tokenization, in its order; the second row is its own slip and matches next to nothing. */
const REPAIRS: readonly (readonly [string | RegExp, string])[] = [
  ["s '", "s'"],
  [pythonRegex("/' [0-9]/"), "/'[0-9]/"],
  [" @-@ ", "-"],
  [" @,@ ", ","],
  [" @.@ ", "."],
  ...[":", ";", ".", "!", "?", ","].map((mark) => [` ${mark} `, `${mark} `] as const),
  [pythonRegex("\\(\\s*([^\\)]*?)\\s*\\)"), "($1)"],
  [pythonRegex("\\[\\s*([^\\]]*?)\\s*\\]"), "[$1]"],
  [pythonRegex("{\\s*([^}]*?)\\s*}"), "{$1}"],
  [pythonRegex('"\\s*([^"]*?)\\s*"'), '"$1"'],
  [pythonRegex("'\\s*([^']*?)\\s*'"), "'$1'"],
  ["= = = =", "===="],
  ["= = =", "==="],
  ["= =", "=="],
  [" ° ", "°"],
  [" \n", "\n"],
  ["\n ", "\n"],
  [" N ", " 1 "],
  [" 's", "'s"],
];

/** Spaces as a person writes them. */
export const detokenizePage = (page: string): string => REPAIRS.reduce((text, [from, to]) => text.replaceAll(from, to), page);

export const wikitext: KnowledgeTask = {
  name: "wikitext",
  version: 2,
  harness: "v0.4",
  outputType: "loglikelihood_rolling",
  text: () => "",
  target: (doc) => detokenizePage(textOf(doc, "page")),
  metrics: [{ name: "word_perplexity" }, { name: "byte_perplexity" }, { name: "bits_per_byte" }],
  score(doc, { loglikelihoods: [{ logprob }] }) {
    const page = textOf(doc, "page");
    const bytes = utf8Bytes(page);
    return { word_perplexity: [logprob, countWords(page)], byte_perplexity: [logprob, bytes], bits_per_byte: [logprob, bytes] };
  },
  decontaminationQuery: (doc) => textOf(doc, "page"),
};

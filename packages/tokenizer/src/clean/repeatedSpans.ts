import { ConfigError } from "@espalier/core";
import { sentencesOf, spanHashes } from "./sentences.ts";

/** How repeated spans of sentences are looked for. */
export interface RepeatedSpanOptions {
  /** Sentences of a span. Default 3. */
  sentences?: number;
  /** A document that lost sentences goes when fewer than this are left. Default 3. */
  minSentences?: number;
}

/** Name of the rule in counts and samples. */
export const REPEATED_SPANS = "repeated-spans";

/** What of a document is left when the sentences that were seen before have gone. */
export interface ReducedText {
  /** Absent: too little is left. */
  text?: Uint8Array;
  /** Sentences that went. */
  numRemoved: number;
  detail: string;
  /** The first that went. */
  example: Uint8Array;
}

/**
 * Finds a document's spans, and takes out sentences that were found to be repeated. Which those are takes the whole
 * corpus to know: `prepareCorpus` looks for them in a pass of its own.
 *
 * @throws {ConfigError} when a number is no whole number above 0
 * @see Raffel et al. 2019, arXiv:1910.10683, section 2.2: all but one of any three-sentence span go
 */
export function repeatedSpans({ sentences: n = 3, minSentences = 3 }: RepeatedSpanOptions = {}) {
  for (const [name, value] of Object.entries({ sentences: n, minSentences })) {
    if (!Number.isInteger(value) || value < 1) throw new ConfigError(`repeated spans: ${name} is ${value}, expected a whole number above 0. Leave it out for the default.`);
  }
  return {
    /** Hashes of the spans, low and high half of each in turn; the i-th span begins with the i-th sentence. */
    hashes: (text: Uint8Array): Uint32Array => spanHashes(sentencesOf(text), n),
    /** @param ranges first sentence and the one behind the last of each, in turn, by rising first */
    remove(text: Uint8Array, ranges: ArrayLike<number>): ReducedText {
      const { ends, length } = sentencesOf(text);
      const pieces: Uint8Array[] = [];
      let [numRemoved, kept] = [0, 0];
      let example: Uint8Array | undefined;
      const startOf = (sentence: number) => (sentence === 0 ? 0 : ends[sentence - 1]!);
      for (let i = 0; i < ranges.length; ) {
        const from = Math.max(ranges[i]!, kept);
        let to = ranges[i + 1]!;
        for (i += 2; i < ranges.length && ranges[i]! <= to; i += 2) to = Math.max(to, ranges[i + 1]!); // those that touch go as one
        if (to <= from) continue;
        const gone = text.subarray(startOf(from), startOf(to));
        example ??= gone;
        const before = text.subarray(startOf(kept), startOf(from));
        pieces.push(before, before.length > 0 && lineEndOf(before).length === 0 ? lineEndOf(gone) : NOTHING);
        numRemoved += to - from;
        kept = to;
      }
      pieces.push(text.subarray(startOf(kept)));
      const left = length - numRemoved;
      const detail = `${numRemoved} of ${length} sentences are in spans seen before`;
      if (left < minSentences) return { numRemoved, detail: `${detail}; ${left} are left`, example: example! };
      return { text: Buffer.concat(pieces), numRemoved, detail, example: example! };
    },
  };
}

const LF = 0x0a;
const NOTHING = new Uint8Array(0);

/** The line ends behind the last word, so that paragraphs stay apart. */
function lineEndOf(text: Uint8Array): Uint8Array {
  let space = text.length;
  while (space > 0 && text[space - 1]! <= 0x20) space--;
  const at = text.indexOf(LF, space);
  return at < 0 ? NOTHING : text.subarray(at);
}

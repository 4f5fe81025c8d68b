import { ConfigError } from "@espalier/core";
import { type LanguageDetector } from "./language.ts";
import { type Ngrams, ngramFinder, phraseFinder } from "./ngrams.ts";
import { maskPii, type PiiKind } from "./pii.ts";
import { c4, fineWeb, gopherQuality, gopherRepetition } from "./quality.ts";

/** Rule sets of quality by name, in the order in which they are applied. */
export const qualityRules = ["c4", "gopher-repetition", "gopher-quality", "fineweb"] as const;
export type QualityRuleName = (typeof qualityRules)[number];

/** What is done to documents, one by one. Plain data. */
export interface CleanOptions {
  quality?: readonly QualityRuleName[];
  /** Languages that stay, as ISO 639-1 codes (`en`, `zh`). */
  languages?: readonly string[];
  /** Documents that contain one of these go. */
  ngrams?: Ngrams;
  /** Documents that hold one of these words or phrases go, whatever its case and punctuation: C4's list of bad words, for one. */
  blockedWords?: readonly string[];
  /** Personal data replaced by a mark. */
  mask?: readonly PiiKind[];
}

/** Why a document went. */
export interface Dropped {
  /** `ngrams`, `blocked-words`, `language` or the name of a rule set. */
  rule: string;
  /** The measured value. */
  detail: string;
}

export type Cleaned = { text: Uint8Array; masked: Partial<Record<PiiKind, number>> } | Dropped;

/** A cleaner of documents. `clean` is a function of the text alone, so any order and any worker gives the same. */
export interface Cleaner {
  clean(text: Uint8Array): Cleaned;
}

/**
 * A cleaner with the given rules. Documents of tests go first, then those with blocked words, other languages, then what the quality rules drop;
 * what stays is masked.
 *
 * @param detect names the language of a text; needed when languages are given
 * @throws {ConfigError} when a rule is not known, or languages are given without `detect`
 */
export function createCleaner({ quality = [], languages, ngrams, blockedWords = [], mask }: CleanOptions, detect?: LanguageDetector): Cleaner {
  const unknown = quality.find((name) => !qualityRules.includes(name));
  if (unknown !== undefined) throw new ConfigError(`clean: rule ${JSON.stringify(unknown)}, expected some of ${qualityRules.join(", ")}. Use those.`);
  if (languages && !detect) throw new ConfigError("clean: languages are given, expected a detector as well. Pass one.");
  const find = ngrams && ngramFinder(ngrams);
  const findBlocked = blockedWords.length > 0 ? phraseFinder(blockedWords) : undefined;
  const rules = qualityRules.filter((name) => quality.includes(name));
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  return {
    clean(bytes) {
      const at = find?.(bytes) ?? -1;
      if (at >= 0) return { rule: "ngrams", detail: `${ngrams!.n} words from word ${at + 1} on are of a test` };
      const blocked = findBlocked?.(bytes) ?? -1;
      if (blocked >= 0) return { rule: "blocked-words", detail: `word ${blocked + 1} is blocked` };
      if (!languages && rules.length === 0 && !mask) return { text: bytes, masked: {} };
      let text = utf8.decode(bytes);
      if (languages) {
        const language = detect!(text);
        if (!languages.includes(language)) return { rule: "language", detail: language };
      }
      for (const rule of rules) {
        if (rule === "c4") {
          const result = c4(text);
          if ("reason" in result) return { rule, detail: result.reason };
          text = result.text;
        } else {
          const detail = { "gopher-quality": gopherQuality, "gopher-repetition": gopherRepetition, fineweb: fineWeb }[rule](text);
          if (detail !== undefined) return { rule, detail };
        }
      }
      const masked: Partial<Record<PiiKind, number>> = {};
      if (mask) text = maskPii(text, mask, (kind) => (masked[kind] = (masked[kind] ?? 0) + 1));
      return { text: rules.includes("c4") || Object.keys(masked).length > 0 ? new TextEncoder().encode(text) : bytes, masked };
    },
  };
}

import { ConfigError } from "@espalier/core";

/** ISO 639-1 code of a text's language, or `und` when none is likely. */
export type LanguageDetector = (text: string) => string;

/** Characters looked at: enough to be sure, and what keeps detection from being slower than everything else together. */
const SAMPLE = 1200;

/**
 * The detector of `eld`, an optional dependency: n-gram frequencies of 60 languages, pure JavaScript. It sees a sample from
 * the middle of long texts, where menus and licences are not.
 *
 * @throws {ConfigError} when `eld` is not installed
 */
export async function languageDetector(): Promise<LanguageDetector> {
  try {
    const { eld } = await import("eld");
    if ("load" in eld) await eld.load("small");
    return (text) => {
      const start = text.length > SAMPLE ? (text.length - SAMPLE) >> 1 : 0;
      return eld.detect(text.slice(start, start + SAMPLE)).language || "und";
    };
  } catch (error) {
    throw new ConfigError("clean: languages are given, but the package eld is not installed, expected it beside this one. Add eld 2.1.0.", { cause: error });
  }
}

import type { TokenSpan } from "@espalier/tokenizer";
import pc from "picocolors";

type Paint = (text: string) => string;
// Neighbours differ, and the black of the text can be read on each, on light terminals and dark ones.
const backgrounds: readonly Paint[] = [pc.bgGreen, pc.bgYellow, pc.bgCyan, pc.bgMagenta, pc.bgBlue];
const paint = (place: number, text: string): string => backgrounds[place % backgrounds.length]!(pc.black(text));

/** Bytes as `\xe4\xb8`, for a token that is no whole characters. */
const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");

/** Control characters and what changes the direction of text, which would act on the terminal in place of being shown. */
const acting = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const names: Readonly<Record<string, string>> = { "\t": "\\t", "\r": "\\r" };
const visible = (text: string): string =>
  text.replaceAll(acting, (character) => names[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`).replaceAll("\n", "\u21b5\n");

/**
 * Tokens one behind the other, each on a background unlike its neighbours'; where there are no colours a bar (U+2502)
 * stands between them. A line feed is shown, and breaks the line.
 *
 * @param bytes the text in UTF-8
 * @param ids   whether each token's id stands behind it
 */
export function colouredTokens(spans: readonly TokenSpan[], bytes: Uint8Array, ids: boolean): string {
  const shown = spans.map(({ id, start, end, text, token }, place) => {
    const shown = token ?? text; // a vocabulary over characters has its own names for what a text holds
    const lines = (shown === undefined ? hexOf(bytes.subarray(start, end)) : visible(shown)).split("\n");
    const last = lines.length - 1;
    // A background that crosses a line end would fill the rest of the terminal's line. A token of line feeds alone ends in nothing.
    const painted = lines.map((line, i) => (line === "" ? "" : paint(place, line)) + (i < last ? "\n" : ""));
    if (!ids) return painted.join("");
    const at = lines.findLastIndex((line) => line !== "");
    return painted.map((line, i) => (i === at ? line.replace(/\n?$/, (newline) => pc.dim(`${pc.isColorSupported ? "" : ":"}${id}`) + newline) : line)).join("");
  });
  if (!pc.isColorSupported) return shown.join("\u2502");
  return ids ? shown.map((token) => (token.endsWith("\n") ? token : `${token} `)).join("") : shown.join("");
}

/** Text of a wanted length with facts hidden in it: shared by the retrieval families and the long stories. */

import { ConfigError } from "@espalier/core";
import type { Draw } from "../task.ts";
import { SYLLABLES } from "../vocabulary.ts";

export interface HaystackOptions {
  /** Kept in this order. */
  facts: readonly string[];
  /** Code points that facts and filler should have together, spaces included: reached within one sentence, never exceeded by filler. */
  length: number;
  /** One sentence of filler. */
  filler: (draw: Draw) => string;
  /** Index of the fact whose place is given. */
  asked?: number;
  /** Place of that fact among all sentences in per cent; below 0: anywhere. */
  depth?: number;
  /** Between sentences. Default one space. */
  separator?: string;
}

/** Sentences about nothing, of names that no question asks for. */
export function nonsense(draw: Draw): string {
  const [a, b, c] = [draw.pick(SYLLABLES), draw.pick(SYLLABLES), draw.pick(SYLLABLES)];
  return draw.pick([`The ${a} is ${b}.`, `A ${a} has no ${b}.`, `Every ${a} ${c}s like ${b}.`, `Some ${a} and some ${b} are ${c}.`]);
}

/** One passage again and again, as the noise of pass-key tests. */
export function repeatedNoise(): (draw: Draw) => string {
  const passage = ["The grass is green.", "The sky is blue.", "The sun is yellow.", "Here we go.", "There and back again."];
  let next = 0;
  return () => passage[next++ % passage.length];
}

/** @returns the text, and where the asked fact came to stand, in per cent of the sentences */
export function haystack(draw: Draw, { facts, length, filler, asked = 0, depth = -1, separator = " " }: HaystackOptions): { text: string; depth: number } {
  if (depth > 100) throw new ConfigError(`haystack: depth is ${depth}, expected at most 100 per cent. Lower it, or pass -1 for anywhere.`);
  const sentences: string[] = [];
  let size = facts.reduce((sum, fact) => sum + fact.length + separator.length, -separator.length);
  for (;;) {
    const sentence = filler(draw);
    if (size + sentence.length + separator.length > length) break;
    sentences.push(sentence);
    size += sentence.length + separator.length;
  }
  const total = sentences.length + facts.length;
  const places = depth < 0 ? anywhere(draw, total, facts.length) : around(draw, total, facts.length, asked, depth);
  const out: string[] = [];
  for (let at = 0, fact = 0, fill = 0; at < total; at++) out.push(places[fact] === at ? facts[fact++] : sentences[fill++]);
  return { text: out.join(separator), depth: total === 1 ? 0 : Math.round((100 * places[asked]) / (total - 1)) };
}

/** `count` distinct places below `total`, ascending. */
function anywhere(draw: Draw, total: number, count: number): number[] {
  if (count * 4 > total) return draw.sample(Array.from({ length: total }, (_, k) => k), count).sort((a, b) => a - b);
  const places = new Set<number>();
  while (places.size < count) places.add(draw.integer(total));
  return [...places].sort((a, b) => a - b);
}

/** The asked fact as near to its depth as the facts before and behind it allow; the others anywhere on their side. */
function around(draw: Draw, total: number, count: number, asked: number, depth: number): number[] {
  const wanted = Math.round(((total - 1) * Math.max(0, depth)) / 100);
  const place = Math.min(Math.max(wanted, asked), total - (count - asked));
  const before = anywhere(draw, place, asked);
  const behind = anywhere(draw, total - place - 1, count - asked - 1).map((at) => at + place + 1);
  return [...before, place, ...behind];
}

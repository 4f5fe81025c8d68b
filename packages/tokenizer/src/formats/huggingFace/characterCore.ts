import { nativeCharacterCore } from "#native";
import { webAssemblyCharacterCore } from "#wasm";
import { type EncodeCore, OUTPUT_SLACK } from "../../encodeCore.ts";
import { type CharacterTables, PAIR } from "./characterBpe.ts";
import { type Part, stepsOf, type TokenizerFile } from "./file.ts";

const NONE = 0xffffffff;
const LARGEST_ID = 2 ** 24;

/** What happens to a normalised text before its characters are joined, as far as the core does it by itself. */
export interface CharacterPlan {
  /** Steps of the normaliser that are done to the string before. */
  before: Part[];
  /** Set in front of a text that is not empty, after those steps. */
  prefix: string;
  /** Set in front of every text that does not begin with it or with what is read as it. */
  metaspacePrefix: string;
  /** A character that is read as another: a space as `▁`. */
  readAs: ReadonlyMap<string, string>;
  /** Text is always cut in front of it. */
  cutBefore?: string;
}

const isCharacter = (text: unknown): text is string => typeof text === "string" && [...text].length === 1 && text.isWellFormed();

/**
 * How a file's normaliser and pre-tokeniser are done: a last `Replace` of one character by one that is a token, a `Prepend`
 * before it, and `Metaspace` by the core, which spares three passes over the text; what else there is to the string.
 * Nothing where the core has no way to do it.
 */
export function planOf(file: TokenizerFile, { idOf }: CharacterTables): CharacterPlan | undefined {
  const before = stepsOf(file.normalizer, "normalizers");
  const isRead = (from: unknown, to: unknown) => isCharacter(from) && isCharacter(to) && idOf.has(to);
  const readAs = new Map<string, string>();
  const plan: CharacterPlan = { before, prefix: "", metaspacePrefix: "", readAs };
  const last = before.at(-1);
  const pattern = (last?.["pattern"] as { String?: unknown } | undefined)?.String;
  if (last?.type === "Replace" && isRead(pattern, last["content"])) {
    readAs.set(pattern as string, last["content"] as string);
    before.pop();
    if (before.at(-1)?.type === "Prepend") plan.prefix = before.pop()!["prepend"] as string;
  }
  const [metaspace] = stepsOf(file.pre_tokenizer, "pretokenizers");
  if (!metaspace) return plan;
  const mark = metaspace["replacement"];
  // The text behind the first replacement would be replaced again, and a mark of ASCII is read as a pattern by the reference.
  if (readAs.size > 0 || plan.prefix !== "" || !isRead(" ", mark) || (mark as string).length !== 1 || (mark as string) < "\u0080") return undefined;
  readAs.set(" ", mark as string);
  if ((metaspace["prepend_scheme"] ?? "always") !== "never") plan.metaspacePrefix = mark as string;
  if (metaspace["split"] !== false) plan.cutBefore = mark as string;
  return plan;
}

/** The definition that native/core/character_bpe.h reads; nothing where ids do not fit. */
export function definitionOf({ idOf, unknown, fuseUnknown, byteFallback, bytes, pairs }: CharacterTables, { readAs, cutBefore }: CharacterPlan): Uint32Array | undefined {
  const characters = new Map<number, number>();
  for (const [token, id] of idOf) {
    if (id >= LARGEST_ID) return undefined;
    if (isCharacter(token)) characters.set(token.codePointAt(0)!, id);
  }
  for (const [from, to] of readAs) characters.set(from.codePointAt(0)!, idOf.get(to)!);
  const merges = Array.from(pairs, ([key, { rank, id }]) => ({ left: Math.floor(key / PAIR), right: key % PAIR, rank, id })).sort((a, b) => a.rank - b.rank);
  const symbols = [...characters.values(), ...(byteFallback ? bytes.filter((id) => id !== undefined) : []), ...(unknown === undefined ? [] : [unknown])];
  const crossings = crossingsOf(symbols, merges);
  return Uint32Array.from([
    characters.size, merges.length, crossings.length, unknown ?? NONE, fuseUnknown ? 1 : 0, cutBefore === undefined ? NONE : idOf.get(cutBefore)!,
    ...Array.from(bytes, (id) => (byteFallback ? id : undefined) ?? NONE),
    ...characters.keys(), ...characters.values(),
    ...merges.map(({ left }) => left), ...merges.map(({ right }) => right), ...merges.map(({ id }) => id),
    ...crossings.map(([first]) => first), ...crossings.map(([, second]) => second),
  ]);
}

/**
 * Pairs of symbols across which some merge may join: the last symbol of its left token and the first of its right one. A
 * token can be made in more than one way, hence sets.
 */
function crossingsOf(symbols: readonly number[], merges: readonly { left: number; right: number; id: number }[]): [number, number][] {
  const firsts = new Map<number, Set<number>>();
  const lasts = new Map<number, Set<number>>();
  const add = (sets: Map<number, Set<number>>, id: number, more: Iterable<number>): boolean => {
    let set = sets.get(id);
    if (!set) sets.set(id, (set = new Set()));
    const { size } = set;
    for (const symbol of more) set.add(symbol);
    return set.size > size;
  };
  for (const id of symbols) for (const sets of [firsts, lasts]) add(sets, id, [id]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const { left, right, id } of merges) {
      const [first, last] = [firsts.get(left), lasts.get(right)];
      if (!first || !last || !firsts.has(right) || !lasts.has(left)) continue; // never made of symbols, as yet
      if (add(firsts, id, first)) grew = true;
      if (add(lasts, id, last)) grew = true;
    }
  }
  const found = new Map<number, [number, number]>();
  for (const { left, right } of merges) {
    for (const last of lasts.get(left) ?? []) for (const first of firsts.get(right) ?? []) found.set(last * PAIR + first, [last, first]);
  }
  return [...found.values()];
}

export type CharacterEncoderKind = "auto" | "wasm" | "typescript";

/**
 * The core's encoder of a file, the addon's or WebAssembly: ids of a text that is well-formed, normaliser and pre-tokeniser
 * included. Nothing where neither runs, or the file asks for what the core does not do: `characterMerge` gives the same ids.
 *
 * @param normalize what a list of normaliser steps does to a text
 */
export function characterCore(
  file: TokenizerFile,
  tables: CharacterTables,
  kind: CharacterEncoderKind,
  normalize: (steps: readonly Part[]) => (text: string) => string,
): { kind: EncodeCore["kind"]; encode(text: string): Uint32Array } | undefined {
  const plan = kind === "typescript" ? undefined : planOf(file, tables);
  const definition = plan && definitionOf(tables, plan);
  const core = definition && ((kind === "auto" ? nativeCharacterCore(definition) : undefined) ?? webAssemblyCharacterCore(definition));
  if (!core) return undefined;
  const { prefix, metaspacePrefix, readAs } = plan;
  const before = normalize(plan.before);
  const begun = [metaspacePrefix, ...[...readAs].filter(([, to]) => to === metaspacePrefix).map(([from]) => from)];
  let room = new Uint8Array();
  let ids = new Uint32Array();
  return {
    kind: core.kind,
    encode(text) {
      const normalized = before(text);
      const front = metaspacePrefix !== "" ? (begun.some((beginning) => normalized.startsWith(beginning)) ? "" : metaspacePrefix) : normalized === "" ? "" : prefix;
      const most = (front.length + normalized.length) * 3; // bytes of UTF-8 a unit of UTF-16
      if (most > room.length) room = new Uint8Array(most);
      const frontBytes = utf8.encodeInto(front, room).written;
      const bytes = room.subarray(0, frontBytes + utf8.encodeInto(normalized, room.subarray(frontBytes)).written);
      if (bytes.length + OUTPUT_SLACK > ids.length) ids = new Uint32Array(bytes.length + OUTPUT_SLACK);
      const found = ids.slice(0, core.encode(bytes, ids));
      if (room.length > KEPT_ROOM) [room, ids] = [new Uint8Array(), new Uint32Array()]; // one long text must not hold its memory for ever
      return found;
    },
  };
}

const utf8 = new TextEncoder();
const KEPT_ROOM = 1 << 22;

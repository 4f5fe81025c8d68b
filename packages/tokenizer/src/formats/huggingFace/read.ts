import { DataError, FileError } from "@espalier/core";
import type { EncodeCore } from "../../encodeCore.ts";
import type { EncodeOptions, Tokenizer } from "../../tokenizer.ts";
import type { TokenSpan } from "../../tokenSpans.ts";
import { nameOfFile } from "../fileName.ts";
import { aligned, type AlignedPart, alignedStep, placesOf, prepended, replaced, textOf } from "./aligned.ts";
import { isByteLevel, readByteLevel } from "./byteLevel.ts";
import { characterMerge, type CharacterMerge, characterTables, characterWalk, type Coverage } from "./characterBpe.ts";
import { characterCore, type CharacterEncoderKind } from "./characterCore.ts";
import { parseTokenizerFile, type Part, stepsOf, type Template, templateOf, type TokenizerFile } from "./file.ts";
import { normalizeBy, normalizerOf } from "./normalize.ts";

export interface HuggingFaceEncodeOptions extends EncodeOptions {
  /** Sets the ids of the file's post-processor (a beginning of text, for example) around the text. Default false. */
  template?: boolean;
}

/** What a Hugging Face `tokenizer.json` does. */
export interface HuggingFaceTokenizer {
  readonly name: string;
  /** Which one runs: the addon's, the WebAssembly one, or the one in TypeScript. Same ids and places. */
  readonly encoder: EncodeCore["kind"];
  /** All ids are below this. */
  readonly vocabSize: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly template: Template;
  encode(text: string, options?: HuggingFaceEncodeOptions): Uint32Array;
  /** The tokens of a text with their places in it and their names in the vocabulary, for showing them. */
  spans(text: string, options?: EncodeOptions): TokenSpan[];
  /** Text of the ids; special tokens give their text. */
  decodeText(ids: ArrayLike<number>): string;
  /** The same as a tokeniser of bytes, where the file is one: byte-level BPE without a normaliser. */
  readonly byteLevel?: Tokenizer;
}

/**
 * Reads a Hugging Face `tokenizer.json` with a BPE model: byte-level with one of our patterns, or over characters with a
 * normaliser and merges over spaces, as files converted from SentencePiece are.
 *
 * Unlike the library of that name, special tokens inside text are ordinary text unless `special: "recognize"` asks for
 * them, and no ids are added around it unless `template` does.
 *
 * @param where names the file in errors; the tokeniser is called by its last part, see `nameOfFile`
 * @param options `encoder`: which one joins characters, as in `createTokenizer`
 * @throws {FileError} naming the part that cannot be read
 */
export function readHuggingFaceTokenizer(text: string, where: string, { encoder: kind = "auto" }: { encoder?: CharacterEncoderKind } = {}): HuggingFaceTokenizer {
  const file = parseTokenizerFile(text, where);
  const normalize = normalizerOf(file, where);
  const template = templateOf(file, where);
  const specialTokens = new Map(file.added_tokens.map(({ content, id }) => [content, id]));
  const byteLevel = isByteLevel(file) ? readByteLevel(file, nameOfFile(where), where) : undefined;
  const tables = byteLevel ? undefined : characterTables(file, where);
  const characters = tables && metaspaceBpe(file, characterMerge(tables), where);
  const core = tables && characterCore(file, tables, kind, (steps) => normalizeBy(steps, where));
  const walk = core && once(() => characterWalk(tables));
  const names = once(() => tokenNames(file, specialTokens));
  const idsOf = (part: string): Uint32Array => core?.encode(part) ?? byteLevel?.encode(normalize(part)) ?? Uint32Array.from(characters!.encode(normalize(part)));
  const vocabSize = [...Object.values(file.model.vocab), ...specialTokens.values()].reduce((a, b) => Math.max(a, b), -1) + 1;
  return {
    name: nameOfFile(where),
    encoder: core?.kind ?? byteLevel?.encoder ?? "typescript",
    vocabSize,
    specialTokens,
    template,
    encode(input, { special = "text", template: around = false } = {}) {
      const parts = special === "recognize" ? splitAt(input, specialTokens) : [input];
      const found = parts.map((part) => (typeof part === "number" ? Uint32Array.of(part) : part === "" ? new Uint32Array() : idsOf(part.toWellFormed())));
      return joined(around ? [Uint32Array.from(template.before), ...found, Uint32Array.from(template.after)] : found);
    },
    spans(input, { special = "text" } = {}) {
      const bytes = utf8.encode(input);
      const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
      const isInside = (at: number) => (bytes[at]! & 0xc0) === 0x80; // never behind the last
      let from = 0;
      return (special === "recognize" ? splitAt(input, specialTokens) : [input]).flatMap((part) => {
        const isSpecial = typeof part === "number";
        const text = isSpecial ? names().get(part)! : part.toWellFormed();
        const coverage: Coverage = { lengths: [], lead: 0 };
        const { lengths } = coverage;
        let parts: AlignedPart[] = aligned(text);
        let ids: Iterable<number>;
        if (isSpecial) {
          ids = [part];
          lengths.push(utf8.encode(text).length);
        } else {
          for (const step of stepsOf(file.normalizer, "normalizers")) parts = alignedStep(step, parts);
          if (characters) {
            parts = characters.align(parts);
            const walked = walk?.();
            const found = walked ? metaspaceBpe(file, walked(core!.encode(text)), where) : characters;
            ids = text === "" ? [] : found.encode(normalize(text), coverage);
          } else {
            ids = byteLevel!.encode(textOf(parts));
            for (const id of ids) lengths.push(byteLevel!.tokenBytes(id).length);
          }
        }
        const places = placesOf(parts, lengths);
        const base = from;
        from += utf8.encode(text).length;
        return Array.from(ids, (id, i): TokenSpan => {
          const start = base + places[i]!.start;
          const end = base + places[i]!.end;
          const span: TokenSpan = { id, start, end };
          if (start === end || (!isInside(start) && !isInside(end))) span.text = decoder.decode(bytes.subarray(start, end));
          if (characters) span.token = names().get(id)!;
          return span;
        });
      });
    },
    decodeText: byteLevel ? byteLevel.decodeText : characterDecoder(file, specialTokens, where),
    ...(byteLevel && !file.normalizer && { byteLevel }),
  };
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Text and ids of special tokens in turn; of several at one place the longest. */
function splitAt(text: string, specialTokens: ReadonlyMap<string, number>): (string | number)[] {
  const contents = [...specialTokens.keys()].sort((a, b) => b.length - a.length);
  if (contents.length === 0) return [text];
  const escaped = contents.map((content) => content.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return text.split(new RegExp(`(${escaped.join("|")})`)).map((part, i) => (i % 2 === 1 ? specialTokens.get(part)! : part));
}

const utf8 = new TextEncoder();

/** A value made when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Token by id, as the file writes it. */
function tokenNames(file: TokenizerFile, specialTokens: ReadonlyMap<string, number>): Map<number, string> {
  const names = new Map(Object.entries(file.model.vocab).map(([token, id]) => [id, token]));
  for (const [content, id] of specialTokens) names.set(id, content);
  return names;
}

interface CharacterTokens {
  /** Ids of a normalised text, and what is behind them. */
  encode(text: string, coverage?: Coverage): Iterable<number>;
  /** What `encode` does to the text before it merges. */
  align(parts: AlignedPart[]): AlignedPart[];
}

/** BPE over characters, behind a `Metaspace` pre-tokeniser if there is one. */
function metaspaceBpe(file: TokenizerFile, merge: CharacterMerge, where: string): CharacterTokens {
  const steps = stepsOf(file.pre_tokenizer, "pretokenizers");
  if (steps.length === 0) return { encode: merge, align: (parts) => parts };
  const [step] = steps;
  if (steps.length > 1 || step!.type !== "Metaspace") {
    throw new FileError(`${where}: pre-tokenizer ${JSON.stringify(file.pre_tokenizer)}, expected none, Metaspace or ByteLevel. It cannot be read.`);
  }
  const mark = step!["replacement"] as string;
  const prepend = (step!["prepend_scheme"] ?? "always") !== "never";
  return {
    encode(text, coverage) {
      const marked = text.replaceAll(" ", mark);
      const whole = prepend && !marked.startsWith(mark) ? mark + marked : marked;
      return step!["split"] === false ? merge(whole, coverage) : whole.split(new RegExp(`(?=${mark})`)).flatMap((part) => merge(part, coverage));
    },
    align(parts) {
      const marked = replaced(parts, " ", mark);
      return prepend && !textOf(marked).startsWith(mark) ? prepended(marked, mark) : marked;
    },
  };
}

/** Tokens to text by the file's decoder: `Replace`, `ByteFallback`, `Fuse`, `Strip` and `Metaspace` are known. */
function characterDecoder(file: TokenizerFile, specialTokens: ReadonlyMap<string, number>, where: string): (ids: ArrayLike<number>) => string {
  const texts = tokenNames(file, specialTokens);
  const steps = stepsOf(file.decoder, "decoders");
  for (const { type } of steps) {
    if (!["Replace", "ByteFallback", "Fuse", "Strip", "Metaspace"].includes(type)) throw new FileError(`${where}: decoder ${type} is not known. It cannot be read.`);
  }
  return (ids) => {
    let parts = Array.from(ids, (id) => {
      const token = texts.get(id);
      if (token === undefined) throw new DataError(`${where}: id ${id} is no token, expected one below ${texts.size}. Was the text encoded with another tokenizer?`);
      return token;
    });
    for (const step of steps) parts = decodeStep(step, parts);
    return parts.join("");
  };
}

function decodeStep(step: Part, parts: string[]): string[] {
  if (step.type === "Fuse") return [parts.join("")];
  if (step.type === "ByteFallback") return fuseBytes(parts);
  if (step.type === "Replace") {
    const { String: pattern } = step["pattern"] as { String: string };
    return parts.map((part) => part.replaceAll(pattern, () => step["content"] as string));
  }
  if (step.type === "Metaspace") {
    const strip = (step["prepend_scheme"] ?? "always") !== "never";
    return parts.map((part, i) => {
      const text = part.replaceAll(step["replacement"] as string, " ");
      return i === 0 && strip && text.startsWith(" ") ? text.slice(1) : text;
    });
  }
  const { content, start, stop } = step as unknown as { content: string; start: number; stop: number };
  return parts.map((part) => {
    let from = 0;
    let to = part.length;
    while (from < start && part[from] === content) from++;
    while (part.length - to < stop && to > from && part[to - 1] === content) to--;
    return part.slice(from, to);
  });
}

/** Runs of `<0x..>` to the text of their bytes, or a U+FFFD for each byte when they are not valid UTF-8. */
function fuseBytes(parts: string[]): string[] {
  const out: string[] = [];
  let run: number[] = [];
  const flush = () => {
    if (run.length === 0) return;
    try {
      out.push(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(run)));
    } catch {
      out.push("\ufffd".repeat(run.length));
    }
    run = [];
  };
  for (const part of parts) {
    const byte = /^<0x([0-9A-F]{2})>$/.exec(part);
    if (byte) run.push(parseInt(byte[1]!, 16));
    else {
      flush();
      out.push(part);
    }
  }
  flush();
  return out;
}

import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, FileError, random } from "@espalier/core";
import { disk } from "@espalier/core/node";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../testing/temporary.ts";
import { isRepeatedOf, readRepeated, writeRepeated } from "./repeatedFile.ts";
import { type DocumentPlace, type RepeatedSpan, SpanFinder } from "./spanFinder.ts";

/** Documents of random spans out of `kinds`; every hash is spread over both halves. */
function documents(count: number, kinds: number, seed: number): [DocumentPlace, Uint32Array][] {
  const draw = random(seed, "spans").sequence();
  const halves = Array.from({ length: 2 * kinds }, () => draw.integer(2 ** 32 - 1));
  return Array.from({ length: count }, (_, i) => {
    const hashes: number[] = [];
    for (let left = draw.integer(9); left > 0; left--) {
      const kind = draw.integer(kinds);
      hashes.push(halves[2 * kind]!, halves[2 * kind + 1]!);
    }
    return [[Math.floor(i / 100), Math.floor((i % 100) / 7), i], Uint32Array.from(hashes)];
  });
}

/** By definition, in a map. */
function expectedOf(all: readonly [DocumentPlace, Uint32Array][], n: number): RepeatedSpan[] {
  const firsts = new Map<string, { place: DocumentPlace; sentence: number }>();
  const found: RepeatedSpan[] = [];
  for (const [place, hashes] of all) {
    for (let i = 0; i < hashes.length; i += 2) {
      const key = `${hashes[i]} ${hashes[i + 1]}`;
      const first = firsts.get(key);
      if (!first) firsts.set(key, { place, sentence: i / 2 });
      else {
        const from = first.place === place ? Math.max(i / 2, first.sentence + n) : i / 2;
        if (from < i / 2 + n) found.push([...place, from, i / 2 + n]);
      }
    }
  }
  return found;
}

const sorted = (spans: readonly RepeatedSpan[]) => spans.toSorted((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3] || a[4] - b[4]);

describe("SpanFinder", () => {
  it.each([
    [50, 20, undefined],
    [4000, 5000, undefined],
    [60_000, 200_000, 1 << 16], // files, and several rounds a partition
  ])("finds what a map finds: %i documents of %i kinds, table of %s bytes", (count, kinds, memoryBytes) => {
    const directory = temporaryDirectory();
    const all = documents(count, kinds, count);
    const finder = new SpanFinder({ directory, sentences: 3, memoryBytes });
    for (const [place, hashes] of all) finder.add(place, hashes);
    if (memoryBytes !== undefined) expect(readdirSync(directory).length).toBeGreaterThan(60);
    const found = [...finder.repeated()];
    finder.close();
    const expected = sorted(expectedOf(all, 3));
    expect(expected.length).toBeGreaterThan(count / 2);
    expect(found.length).toBe(expected.length);
    expect(found.findIndex((span, i) => span.join() !== expected[i]!.join())).toBe(-1);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("says where the disk is full, and refuses too little memory", () => {
    const finder = new SpanFinder({ directory: join(temporaryDirectory(), "none"), sentences: 3 });
    const hashes = new Uint32Array(20_000);
    expect(() => finder.add([0, 0, 0], hashes)).toThrow(FileError);
    finder.close();
    expect(() => new SpanFinder({ directory: "", sentences: 3, memoryBytes: 5 })).toThrow(ConfigError);
  });
});

describe("the file of repeated spans", () => {
  const spans: RepeatedSpan[] = [[0, 0, 1, 0, 3], [0, 0, 1, 4, 7], [0, 0, 5, 2, 5], [0, 3, 0, 1, 4], [2, 1, 9, 0, 3]];

  it("gives each batch and each document its own, whichever are left out", async () => {
    const path = join(temporaryDirectory(), "repeated.bin");
    await writeRepeated(path, spans, "d", disk);
    expect([await isRepeatedOf(path, "d"), await isRepeatedOf(path, "e"), await isRepeatedOf(`${path}.json`, "d")]).toEqual([true, false, false]);
    const batches = readRepeated(path);
    expect(await batches.ofBatch(0, 0)).toEqual(Uint32Array.of(1, 0, 3, 1, 4, 7, 5, 2, 5));
    expect(await batches.ofBatch(0, 2)).toBeUndefined();
    expect(await batches.ofBatch(2, 1)).toEqual(Uint32Array.of(9, 0, 3));
    expect(await batches.ofBatch(2, 2)).toBeUndefined();
    const each = readRepeated(path);
    expect(await each.ofDocument(0, 0, 1)).toEqual([0, 3, 4, 7]);
    expect(await each.ofDocument(0, 0, 4)).toBeUndefined();
    expect(await each.ofDocument(0, 3, 0)).toEqual([1, 4]);
  });

  it("is made again when it is cut or gone", async () => {
    const path = join(temporaryDirectory(), "repeated.bin");
    await writeRepeated(path, spans, "d", disk);
    writeFileSync(path, "cut");
    expect(await isRepeatedOf(path, "d")).toBe(false);
    rmSync(path);
    expect(await isRepeatedOf(path, "d")).toBe(false);
  });
});

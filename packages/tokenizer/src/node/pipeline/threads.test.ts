import { hash } from "node:crypto";
import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { nativeTreatPool } from "#native";
import { randomText } from "../../testing/randomText.ts";
import { createTokenizer } from "../../tokenizer.ts";
import { cl100k } from "../encoding.ts";
import { definitionOf, stageOf } from "../prepare/pass.ts";
import type { Batch } from "../read/batches.ts";
import { splitPosition } from "../split.ts";
import { addonThreads } from "./addonThreads.ts";
import { startThreads, type Threads } from "./threads.ts";
import type { StageOptions, Treated } from "./treat.ts";

const draw = random(31, "threads");
const definition = definitionOf(cl100k(), "<|endoftext|>");
const stage = stageOf({}, definition);
const isBuilt = nativeTreatPool({ ...definition, pattern: "cl100k" }, Buffer.from("text"), 1) !== undefined;

function line(i: number): Buffer {
  if (i % 41 === 3) return Buffer.from('{"text":');
  if (i % 37 === 1) return Buffer.alloc(0);
  if (i % 43 === 5) return Buffer.from('{"text":" \\t"}');
  const json = Buffer.from(JSON.stringify({ id: i, text: randomText(draw, i).repeat(1 + (i % 7)) }));
  if (i % 19 === 2) for (let at = 12; at < json.length - 2; at++) if (json[at] === 0x61) json[at] = 0xff; // no UTF-8: U+FFFD, three bytes each
  return json;
}
const batchOf = (file: number, index: number): Batch => {
  const lines = Array.from({ length: draw.integer(1000 + 8 * file + index, 400) }, (_, i) => line(1000 * index + i));
  return { file, index, bytes: new Uint8Array(Buffer.concat(lines.flatMap((bytes) => [bytes, Buffer.from("\n")]))), malformed: [] };
};
async function* batches(): AsyncGenerator<Batch & { damaged?: string }> {
  for (let i = 0; i < 30; i++) yield batchOf(i >> 3, i & 7);
  // More bytes of text than of lines, all of U+FFFD.
  yield { file: 4, index: 0, bytes: new Uint8Array(Buffer.concat([Buffer.from('{"text":"'), Buffer.alloc(50_000, 0xff), Buffer.from('"}')])), malformed: [] };
  yield { file: 4, index: 1, bytes: new Uint8Array(0), records: [], malformed: [], damaged: "cut short" };
}
/** Copies: what was treated may be written over. */
async function all(threads: Threads, given = batches()): Promise<Treated[]> {
  const found: Treated[] = [];
  for await (const treated of threads.treatInOrder(given)) found.push(structuredClone(treated));
  return found;
}

describe("startThreads", () => {
  it.each<[string, StageOptions]>([
    ["cl100k", stage],
    ["a vocabulary that numbers its tokens otherwise", stageOf({}, definitionOf(shifted(), "<s>"))],
  ])("gives the same on this thread, in workers and in threads of the addon: %s", { timeout: 60_000 }, async (_, options) => {
    const alone = await all(startThreads(options, 0, true));
    expect(alone).toHaveLength(32);
    expect(await all(startThreads(options, 2, false))).toEqual(alone);
    for (const threads of [1, 2, 5]) expect(await all(startThreads(options, threads, true))).toEqual(alone);
  });

  it.skipIf(!isBuilt)("takes the addon's threads for JSON lines alone, and where nothing is to be cleaned (skipped where the addon is not built)", async () => {
    expect(addonThreads(stage, 1)).toBeDefined();
    for (const options of [{ clean: { mask: ["email" as const] } }, { nearDuplicates: {} }]) expect(addonThreads(stageOf(options, definition), 1)).toBeUndefined();
    expect(addonThreads(stageOf({}, undefined), 1)).toBeUndefined();
    expect(addonThreads({ ...stage, tokenizer: { ...definition, encoder: "wasm" } }, 1)).toBeUndefined();
  });

  it("ends its threads when the reader fails or whoever takes batches stops, while others are being treated", async () => {
    const failing = async function* (): AsyncGenerator<Batch> {
      for (let i = 0; i < 6; i++) yield batchOf(0, i);
      throw new Error("the disk is gone");
    };
    for (let round = 0; round < 20; round++) {
      await expect(all(startThreads(stage, 3, true), failing())).rejects.toThrow("the disk is gone");
      const threads = startThreads(stage, 3, true);
      for await (const { index } of threads.treatInOrder(batches())) if (index === 2) break;
      await threads.end();
      await startThreads(stage, 2, true).end(); // right after they were started
    }
  }, 60_000);
});

describe.skipIf(!isBuilt)("the addon's threads (skipped where the addon is not built)", () => {
  it("give node:crypto's digests and the positions of the split, for texts of all lengths around the blocks of SHA-256", async () => {
    const texts = Array.from({ length: 600 }, (_, i) => "x" + "é".repeat(i % 3) + "a".repeat(i < 300 ? i : draw.integer(i, 5000)));
    const pool = nativeTreatPool({ ...definition, pattern: "cl100k" }, Buffer.from("text"), 2)!;
    const ids = new Uint32Array(1 << 22);
    const found = await pool.treat(Buffer.from(texts.map((text) => JSON.stringify({ text })).join("\n")), ids);
    pool.close();
    if (typeof found === "number") throw new Error("no room");
    const digests = texts.map((text) => hash("sha256", text, "hex"));
    const bytes = Buffer.from(found.hashes.buffer);
    expect(digests.map((_, i) => bytes.toString("hex", 16 * i, 16 * i + 16))).toEqual(digests.map((digest) => digest.slice(0, 32)));
    expect([...found.positions]).toEqual(digests.map(splitPosition));
  });

  it("say how much room ids need, and refuse work once closed", async () => {
    const pool = nativeTreatPool({ ...definition, pattern: "cl100k" }, Buffer.from("text"), 1)!;
    const lines = Buffer.from('{"text":"some words"}\n');
    for (const length of [0, 1, 2]) expect(await pool.treat(lines, new Uint32Array(length))).toBe(10 + 1 + 16);
    for (const length of [3, 4, 20, 27]) expect(await pool.treat(lines, new Uint32Array(length))).toMatchObject({ numLines: 1, ends: Uint32Array.of(3) });
    pool.close();
    pool.close();
    await expect(pool.treat(lines, new Uint32Array(27))).rejects.toThrow(/the threads were stopped/);
  });
});

describe.skipIf(!isBuilt)("room for ids (skipped where the addon is not built)", () => {
  it("gives the same ids wherever it ends, and refuses less than there are", async () => {
    const pool = nativeTreatPool({ ...definition, pattern: "cl100k" }, Buffer.from("text"), 1)!;
    const lines = Buffer.from(Array.from({ length: 12 }, (_, i) => JSON.stringify({ text: `${i} ${randomText(draw, 900 + i)}` })).join("\n"));
    const ids = new Uint32Array(3 * lines.length);
    const found = await pool.treat(lines, ids);
    if (typeof found === "number") throw new Error("no room");
    const count = found.ends.at(-1)!;
    for (let length = 0; length < count + 40; length++) {
      const room = new Uint32Array(length + 8).fill(7);
      const less = await pool.treat(lines, room.subarray(0, length));
      if (length < count) expect(less, `${length}`).toBeTypeOf("number");
      else expect(less, `${length}`).toEqual(found);
      if (length >= count) expect(room.subarray(0, count)).toEqual(ids.subarray(0, count));
      expect(room.subarray(length), "behind its end").toEqual(new Uint32Array(8).fill(7));
    }
    pool.close();
  });
});

function shifted() {
  const { ranks } = cl100k();
  return createTokenizer({ name: "shifted", ranks, specialTokens: new Map([["<s>", 1]]), ids: Uint32Array.from({ length: ranks.offsets.length - 1 }, (_, rank) => rank + 7) });
}

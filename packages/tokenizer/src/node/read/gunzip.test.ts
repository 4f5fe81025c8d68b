import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, crc32, createGunzip, deflateRawSync, gunzipSync, gzipSync } from "node:zlib";
import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { nativeCrc32 } from "#native";
import { temporaryDirectory } from "../../testing/temporary.ts";
import { gunzipFile } from "./gunzip.ts";

const isBuilt = nativeCrc32(new Uint8Array(0), true) !== undefined;
const corpus = new URL("../../../../../../shared/data/corpus/", import.meta.url);

function generator(seed: number): () => number {
  const sequence = random(seed).sequence();
  return () => sequence.uniform();
}

/** What the addon makes of a file, and why it stopped. */
async function unzipped(content: Uint8Array, { chunkBytes = 1 << 16, reuse = false } = {}): Promise<{ bytes: Buffer; problem?: string; consumed: number }> {
  const path = join(temporaryDirectory({}), "x.gz");
  writeFileSync(path, content);
  const pieces: Buffer[] = [];
  let consumed = 0;
  try {
    for await (const piece of gunzipFile(path, { chunkBytes, reuse, onConsumed: (bytes) => (consumed = bytes) })!) pieces.push(reuse ? Buffer.from(piece) : piece);
    return { bytes: Buffer.concat(pieces), consumed };
  } catch (error) {
    return { bytes: Buffer.concat(pieces), problem: (error as Error).message, consumed };
  }
}

/** What zlib makes of it: all that it gives before it stops, a few bytes at a time. */
async function judged(content: Uint8Array): Promise<{ bytes: Buffer; problem?: string }> {
  const pieces: Buffer[] = [];
  const stream = createGunzip({ chunkSize: 64 });
  try {
    stream.end(content);
    for await (const piece of stream as AsyncIterable<Buffer>) pieces.push(piece);
    return { bytes: Buffer.concat(pieces) };
  } catch (error) {
    return { bytes: Buffer.concat(pieces), problem: (error as Error).message };
  }
}

/** Bytes that repeat themselves near and far, of few letters or many. */
function madeUp(draw: () => number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const letters = 1 + Math.floor(draw() * 255);
  for (let i = 0; i < length; ) {
    const run = 1 + Math.floor(draw() * (draw() < 0.1 ? 700 : 20));
    const distance = 1 + Math.floor(draw() * Math.min(i, draw() < 0.5 ? 20 : 40_000));
    const copies = i > 0 && draw() < 0.6;
    for (let k = 0; k < run && i < length; k++, i++) bytes[i] = copies ? bytes[i - distance]! : Math.floor(draw() * letters);
  }
  return bytes;
}

/** A member with all that a header may have. */
function memberWithHeader(text: Buffer): Buffer {
  const header = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3]), Buffer.from([5, 0]), Buffer.from("extra"), Buffer.from("name\0"), Buffer.from("comment\0")]);
  const check = Buffer.alloc(2);
  check.writeUInt16LE(crc32(header) & 0xffff);
  const end = Buffer.alloc(8);
  end.writeUInt32LE(crc32(text), 0);
  end.writeUInt32LE(text.length, 4);
  return Buffer.concat([header, check, deflateRawSync(text), end]);
}

describe.skipIf(!isBuilt)("gunzipFile (needs the addon)", () => {
  it("gives what zlib gives, for every level, strategy, memory and size of pieces", async () => {
    const draw = generator(5);
    const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED } = constants;
    for (let round = 0; round < 80; round++) {
      const content = madeUp(draw, Math.floor(draw() ** 3 * 300_000));
      const strategy = [Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED][Math.floor(draw() * 5)]!;
      const stored = gzipSync(content, { level: Math.floor(draw() * 10), strategy, memLevel: 1 + Math.floor(draw() * 9), windowBits: 9 + Math.floor(draw() * 7) });
      const chunkBytes = 1 + Math.floor(draw() ** 3 * 300_000);
      const found = await unzipped(stored, { chunkBytes: Math.max(chunkBytes, content.length >> 6), reuse: round % 2 === 0 });
      expect(found.problem).toBeUndefined();
      expect(found.bytes.equals(content), `round ${round}`).toBe(true);
      expect(found.consumed).toBe(stored.length);
    }
  });

  it("reads members one behind the other, headers with everything in them, padding, and stops at other bytes", async () => {
    const [a, b] = [Buffer.from("first\n"), Buffer.from("second\n")];
    expect((await unzipped(Buffer.concat([gzipSync(a), memberWithHeader(b), gzipSync(Buffer.alloc(0)), gzipSync(a)]))).bytes.toString()).toBe("first\nsecond\nfirst\n");
    expect(await unzipped(Buffer.concat([gzipSync(a), Buffer.alloc(100)]))).toMatchObject({ bytes: a });
    for (const content of [Buffer.concat([gzipSync(a), Buffer.from("more")]), Buffer.from("no gzip at all"), Buffer.from([0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0, 0]), memberWithHeader(b).fill(1, 12, 13)]) {
      const [found, expected] = [await unzipped(content), await judged(content)];
      expect(found.problem).toBe(expected.problem);
      expect(found.problem).toBeDefined();
    }
  });

  it("gives all that comes before a cut, wherever it is", async () => {
    const draw = generator(6);
    for (const level of [0, 1, 6]) {
      const content = madeUp(draw, 3000);
      const stored = gzipSync(content, { level });
      for (let length = 1; length < stored.length; length += 1 + Math.floor(draw() * 9)) {
        const { bytes, problem } = await unzipped(stored.subarray(0, length));
        expect(problem).toBe("unexpected end of file");
        expect(bytes.equals(content.subarray(0, bytes.length))).toBe(true);
        expect(bytes.equals((await judged(stored.subarray(0, length))).bytes), `level ${level}, ${length} bytes`).toBe(true);
      }
    }
  });

  it("refuses what zlib refuses, and never gives other bytes without saying so", async () => {
    const draw = generator(7);
    for (let round = 0; round < 400; round++) {
      const content = madeUp(draw, 200 + Math.floor(draw() * 4000));
      const stored = gzipSync(content, { level: 1 + Math.floor(draw() * 9) });
      const changed = Buffer.from(stored);
      for (let k = 0; k <= round % 3; k++) changed[10 + Math.floor(draw() * (changed.length - 10))]! ^= 1 << Math.floor(draw() * 8);
      const [found, expected] = [await unzipped(changed), await judged(changed)];
      expect(found.problem, `round ${round}`).toBe(expected.problem);
      if (expected.problem === undefined) expect(found.bytes.equals(expected.bytes)).toBe(true);
    }
  });

  it("survives any bytes behind a header", async () => {
    const draw = generator(8);
    for (let round = 0; round < 300; round++) {
      const content = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), Buffer.from(Array.from({ length: 400 }, () => Math.floor(draw() * 256)))]);
      content[10] = (content[10]! & 0xf8) | [1, 3, 5][round % 3]!; // stored, fixed or own codes
      expect((await unzipped(content)).problem, `round ${round}`).toBe((await judged(content)).problem);
    }
  });

  it("has the check value of zlib, with the processor's instructions and without", () => {
    const draw = generator(9);
    for (let round = 0; round < 300; round++) {
      const bytes = madeUp(draw, round < 200 ? round : Math.floor(draw() * 5000));
      for (const portable of [true, false]) expect(nativeCrc32(bytes, portable)).toBe(crc32(bytes));
    }
  });

  it.skipIf(!existsSync(corpus))("reads the corpora (not in the project)", async () => {
    const stored = readFileSync(new URL("en-docs.jsonl.gz", corpus));
    expect((await unzipped(stored, { chunkBytes: 1 << 20 })).bytes.equals(gunzipSync(stored))).toBe(true);
  });
});

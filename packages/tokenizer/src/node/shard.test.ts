import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DataError, FileError } from "@espalier/core";
import { disk, intercept, sha256File } from "@espalier/core/node";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../testing/temporary.ts";
import { type AppendDocument, checkShard, readDocumentEnds, readShard, shardDocuments, writeShard } from "./shard.ts";

const origin = { tokenizerDigest: "t".repeat(64), sourceDigest: "s".repeat(64) };
const twoDocuments = async (append: AppendDocument) => {
  await append(Uint32Array.of(1, 2, 100_257), 5);
  await append(Uint32Array.of(70_000, 100_257), 7);
};

describe("writeShard", () => {
  it("writes plain little-endian ids and a header that says where documents end", async () => {
    const path = join(temporaryDirectory(), "a.bin");
    const header = await writeShard(path, origin, twoDocuments);
    expect([...readFileSync(path).subarray(8, 16)]).toEqual([0xa1, 0x87, 0x01, 0, 0x70, 0x11, 0x01, 0]);
    expect(header).toMatchObject({ numTokens: 5, numDocuments: 2, textBytes: 12, ...origin });
    const shard = await readShard(path, origin);
    expect([...shard.tokens]).toEqual([1, 2, 100_257, 70_000, 100_257]);
    expect(shard.header).toEqual(header);
    expect([...(await readDocumentEnds(shard))]).toEqual([3, 5]);
    const documents: number[][] = [];
    for await (const { ids } of shardDocuments(path)) documents.push([...ids]);
    expect(documents).toEqual([[1, 2, 100_257], [70_000, 100_257]]);
  });

  it("writes documents longer than its buffer in order", async () => {
    const path = join(temporaryDirectory(), "a.bin");
    const lengths = [3, 300_000, 200_000, 100_000, 1];
    await writeShard(path, origin, async (append) => {
      for (const [i, length] of lengths.entries()) await append(new Uint32Array(length).fill(i), length);
    });
    const shard = await readShard(path);
    const { tokens } = shard;
    let start = 0;
    for (const [i, end] of (await readDocumentEnds(shard)).entries()) {
      expect(end - start).toBe(lengths[i]);
      expect(tokens.subarray(start, end).every((token) => token === i)).toBe(true);
      start = end;
    }
  });

  it("leaves nothing half-written when the disk fills up at any write", async () => {
    for (let failing = 1; ; failing++) {
      const directory = temporaryDirectory();
      let operations = 0;
      const full = intercept(disk, (operation) => {
        if (operation !== "remove" && ++operations === failing) throw Object.assign(new Error("no space"), { code: "ENOSPC", errno: -28, syscall: "write" });
      });
      const path = join(directory, "a.bin");
      const error: unknown = await writeShard(path, origin, twoDocuments, full).catch((thrown: unknown) => thrown);
      if (operations < failing) {
        expect(failing).toBeGreaterThan(12); // three files: open, write, sync, rename and directory sync of each
        return;
      }
      expect(error).toBeInstanceOf(FileError);
      expect((error as Error).message).toMatch(/the disk is full/);
      expect(readdirSync(directory).filter((name) => /\.(tmp|partial)$/.test(name))).toEqual([]);
      const read = await readShard(path).then(({ header }) => header.numTokens, () => undefined);
      expect([undefined, 5]).toContain(read); // whole, or not there
    }
  });
});

describe("readShard", () => {
  const written = async () => {
    const path = join(temporaryDirectory(), "a.bin");
    await writeShard(path, origin, twoDocuments);
    return path;
  };

  it("refuses a truncated shard, naming file, found and expected", async () => {
    const path = await written();
    truncateSync(path, 17);
    await expect(readShard(path)).rejects.toThrow(new FileError(`${path}: 17 bytes, expected 20 (5 tokens). It is truncated or foreign; tokenize the corpus again.`));
  });

  it("refuses document ends that are cut short or changed", async () => {
    const path = await written();
    const shard = await readShard(path);
    truncateSync(`${path}.ends`, 8);
    await expect(readDocumentEnds(shard)).rejects.toThrow(/a\.bin\.ends: 8 bytes, expected 16 with sha256/);
    await expect((async () => { for await (const { ids } of shardDocuments(path)) expect(ids.length).toBe(3); })()).rejects.toThrow(/1 documents of 3 tokens, expected 2 of 5/);
  });

  it("refuses changed bytes", async () => {
    const path = await written();
    const bytes = readFileSync(path);
    bytes[0]! ^= 1;
    writeFileSync(path, bytes);
    await expect(readShard(path)).rejects.toThrow(/sha256 is .* expected .* It is damaged/);
  });

  it("refuses a shard of another tokeniser or source", async () => {
    const path = await written();
    await expect(readShard(path, { tokenizerDigest: "u".repeat(64) })).rejects.toThrow(
      new DataError(`${path}: made with tokenizer tttttttttttt, expected uuuuuuuuuuuu. Tokenize the corpus again.`),
    );
    await expect(readShard(path, { sourceDigest: "u".repeat(64) })).rejects.toThrow(/made from source ssssssssssss/);
  });

  it("refuses a missing or foreign header", async () => {
    const path = await written();
    await expect(readShard(`${path}x`)).rejects.toThrow(/it does not exist/);
    writeFileSync(`${path}.json`, '{"format":"other"}');
    await expect(readShard(path)).rejects.toThrow(/format other, expected espalier-tokens version 2/);
    writeFileSync(`${path}.json`, "torn {");
    await expect(readShard(path)).rejects.toThrow(/format unknown/);
  });
});

describe("checkShard", () => {
  it("checks what `readShard` does, and the document ends", async () => {
    const path = join(temporaryDirectory(), "a.bin");
    const header = await writeShard(path, origin, twoDocuments);
    expect(await checkShard(path, origin)).toEqual(header);
    await expect(checkShard(path, { tokenizerDigest: "x".repeat(64) })).rejects.toThrow(/made with tokenizer tttttttttttt, expected xxxxxxxxxxxx/);
    for (const [file, message] of [[path, /a\.bin: 7 bytes, expected 20/], [`${path}.ends`, /a\.bin\.ends: 7 bytes, expected 16/]] as const) {
      const whole = readFileSync(file);
      truncateSync(file, 7);
      await expect(checkShard(path)).rejects.toThrow(message);
      writeFileSync(file, Uint8Array.from(whole, (byte) => byte ^ 1));
      await expect(checkShard(path)).rejects.toThrow(/sha256 is .*, expected .*It is damaged/);
      writeFileSync(file, whole);
    }
  });

  it("takes a shard larger than what Node reads in one piece", async () => {
    const path = join(temporaryDirectory(), "a.bin");
    const header = await writeShard(path, origin, twoDocuments);
    truncateSync(path, 2 ** 31); // a hole: takes no room
    const large = { ...header, numTokens: 2 ** 29, sha256: await sha256File(path) };
    writeFileSync(`${path}.json`, JSON.stringify(large));
    expect(await checkShard(path, origin)).toEqual(large);
    await expect(readShard(path)).rejects.toThrow(/2147483648 bytes, expected at most 2147483647 to be read into memory/);
    rmSync(path);
  }, 60_000);
});

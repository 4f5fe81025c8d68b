import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileError } from "@espalier/core";
import { disk, intercept, sha256 } from "@espalier/core/node";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSafetensors, type SafetensorsDType, type TensorSource, writeSafetensors } from "./index.ts";

let directory: string;
let serial = 0;
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), "espalier-safetensors-"))));
afterAll(() => rmSync(directory, { recursive: true }));
const fresh = () => join(directory, `${serial++}.safetensors`);

/** A file from a header text and its data, with the length in front. */
function rawFile(header: string, data: Uint8Array = new Uint8Array()): string {
  const path = fresh();
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json, data]));
  return path;
}

describe("writeSafetensors", () => {
  it("writes the bytes that the format prescribes", async () => {
    const path = fresh();
    const { digest, bytes } = await writeSafetensors(
      path,
      [
        { name: "b", dtype: "U8", shape: [3], data: new Uint8Array([1, 2, 3]) },
        { name: "a", dtype: "F32", shape: [1, 2], data: new Float32Array([1, -2]) },
      ],
      { metadata: { format: "pt" } },
    );
    const json =
      '{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},' +
      '"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}';
    const padded = json.padEnd(Math.ceil(json.length / 8) * 8);
    const file = readFileSync(path);
    expect(Number(file.readBigUInt64LE())).toBe(padded.length);
    expect(file.subarray(8, 8 + padded.length).toString()).toBe(padded);
    expect([...file.subarray(8 + padded.length)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 1, 2, 3]);
    expect(bytes).toBe(file.length);
    expect(digest).toBe(sha256(file));
  });

  it("sorts by descending alignment, then name, so that every tensor is aligned", async () => {
    const path = fresh();
    const dtypes: SafetensorsDType[] = ["U8", "BF16", "I64", "F32", "F16", "I32"];
    const tensors = dtypes.flatMap((dtype): TensorSource[] => {
      const size = { U8: 1, BF16: 2, F16: 2, F32: 4, I32: 4, I64: 8 }[dtype as "U8"];
      return ["y", "10", "9"].map((name) => ({ name: `${name}${dtype}`, dtype, shape: [3], data: new Uint8Array(3 * size) }));
    });
    await writeSafetensors(path, tensors);
    const file = await openSafetensors(path);
    await file.close();
    const order = [...file.tensors.keys()];
    expect(order.slice(0, 3)).toEqual(["10I64", "9I64", "yI64"]);
    expect(order.slice(3, 6)).toEqual(["10F32", "9F32", "yF32"]);
    expect([...file.tensors.values()].map((t) => t.dtype).filter((d, i, all) => d !== all[i - 1])).toEqual([
      "I64", "F32", "I32", "BF16", "F16", "U8",
    ]);
  });

  it("takes a tensor piece by piece and refuses a wrong number of bytes, leaving nothing behind", async () => {
    const path = fresh();
    const halves = function* () {
      yield new Uint8Array([1, 2]);
      yield new Uint8Array([3, 4]);
    };
    await writeSafetensors(path, [{ name: "a", dtype: "I32", shape: [1], data: halves }]);
    const before = readFileSync(path);
    await expect(writeSafetensors(path, [{ name: "a", dtype: "I32", shape: [2], data: halves }])).rejects.toThrow(
      "tensor `a` gave 4 bytes, expected 8. Check its shape.",
    );
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(directory).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("keeps the old file when the disk fills up at any step", async () => {
    const path = fresh();
    const tensor = (value: number): TensorSource[] => [{ name: "a", dtype: "I32", shape: [], data: new Int32Array([value]) }];
    await writeSafetensors(path, tensor(1));
    const before = readFileSync(path);
    for (let step = 1; step <= 5; step++) {
      let count = 0;
      const full = intercept(disk, () => {
        if (++count === step) throw Object.assign(new Error("full"), { code: "ENOSPC", errno: -28 });
      });
      await expect(writeSafetensors(path, tensor(2), { fileSystem: full })).rejects.toThrow(FileError);
      expect(readFileSync(path)).toEqual(before);
    }
  });

  it("refuses a name given twice and the reserved name", async () => {
    const tensor = { dtype: "U8", shape: [0], data: new Uint8Array() } as const;
    await expect(writeSafetensors(fresh(), [{ name: "a", ...tensor }, { name: "a", ...tensor }])).rejects.toThrow(/`a` is given twice/);
    await expect(writeSafetensors(fresh(), [{ name: "__metadata__", ...tensor }])).rejects.toThrow(/reserved/);
  });
});

describe("openSafetensors", () => {
  const tensorArbitrary = fc
    .record({
      dtype: fc.constantFrom<SafetensorsDType>("F32", "BF16", "I32", "U8", "I64", "BOOL", "F16"),
      shape: fc.array(fc.nat({ max: 5 }), { maxLength: 4 }),
      seed: fc.nat(255),
    })
    .map(({ dtype, shape, seed }) => {
      const size = { F32: 4, BF16: 2, I32: 4, U8: 1, I64: 8, BOOL: 1, F16: 2 }[dtype as "F32"];
      const bytes = shape.reduce((a, b) => a * b, size);
      return { dtype, shape, data: Uint8Array.from({ length: bytes }, (_, i) => seed + 7 * i) };
    });

  it("reads back any set of tensors, bit for bit, whatever their names", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__"), tensorArbitrary),
        fc.dictionary(fc.string(), fc.string()),
        async (tensors, metadata) => {
          const path = fresh();
          await writeSafetensors(path, Object.entries(tensors).map(([name, tensor]) => ({ name, ...tensor })), { metadata });
          const file = await openSafetensors(path);
          expect({ ...file.metadata }).toEqual({ ...metadata });
          expect(file.tensors.size).toBe(Object.keys(tensors).length);
          for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
            expect(file.tensors.get(name)).toMatchObject({ dtype, shape });
            expect(Buffer.from(await file.read(name))).toEqual(Buffer.from(data));
            const streamed: Uint8Array[] = [];
            for await (const chunk of file.stream(name, 7)) streamed.push(chunk);
            expect(Buffer.concat(streamed)).toEqual(Buffer.from(data));
          }
          await file.close();
          rmSync(path);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("opens or refuses with a FileError, never anything else, when bytes are changed or cut off", async () => {
    const path = fresh();
    await writeSafetensors(path, [
      { name: "layers.0.weight", dtype: "F32", shape: [2, 3], data: new Float32Array(6) },
      { name: "births", dtype: "I32", shape: [4], data: new Int32Array(4) },
    ]);
    const good = readFileSync(path);
    const headerEnd = 8 + Number(good.readBigUInt64LE());
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: headerEnd - 1 }), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat({ max: good.length - 1 })),
        async (changes, cut) => {
          const bad = Buffer.from(good);
          for (const [at, value] of changes) bad[at] = value;
          const damaged = fresh();
          writeFileSync(damaged, cut === null ? bad : bad.subarray(0, cut));
          try {
            const file = await openSafetensors(damaged);
            const total = [...file.tensors.values()].reduce((sum, { begin, end }) => sum + end - begin, 0);
            expect(total).toBe(good.length - headerEnd);
            for (const name of file.tensors.keys()) await file.read(name);
            await file.close();
          } catch (error) {
            expect(error).toBeInstanceOf(FileError);
          }
          rmSync(damaged);
        },
      ),
      { numRuns: 300 },
    );
  });

  const t = (begin: number, end: number, extra = '"dtype":"U8","shape":[2]') => `{${extra},"data_offsets":[${begin},${end}]}`;
  it.each([
    ["overlap", `{"a":${t(0, 2)},"b":${t(1, 3)}}`, 3, "`b` begins at byte 1, expected 2"],
    ["a hole", `{"a":${t(0, 2)},"b":${t(3, 5)}}`, 5, "`b` begins at byte 3, expected 2"],
    ["bytes after the last tensor", `{"a":${t(0, 2)}}`, 3, "cover 2 bytes, but the file holds 3"],
    ["a cut file", `{"a":${t(0, 2)}}`, 1, "cover 2 bytes, but the file holds 1"],
    ["a shape that disagrees with its bytes", `{"a":${t(0, 3)}}`, 3, "`a` holds 3 bytes, expected those of [2] U8"],
    ["an unknown dtype", `{"a":${t(0, 2, '"dtype":"U9","shape":[2]')}}`, 2, '`a` has unknown dtype "U9"'],
    ["a negative size", `{"a":${t(0, 2, '"dtype":"U8","shape":[-2]')}}`, 2, "`a` has a bad shape"],
    ["sizes that overflow", `{"a":${t(0, 2, '"dtype":"U8","shape":[9007199254740991,2]')}}`, 2, "`a` holds 2 bytes"],
    ["backward offsets", `{"a":${t(2, 0)}}`, 2, "`a` holds -2 bytes"],
    ["a key twice", `{"a":${t(0, 2)},"a":${t(0, 2)}}`, 2, "`a` appears twice"],
    ["metadata that is not text", `{"__metadata__":{"a":1}}`, 0, "not a map from text to text"],
    ["no object", `[]`, 0, "does not begin with `{`"],
    ["broken JSON", `{"a":`, 0, "not UTF-8 JSON"],
  ])("refuses %s", async (_, header, dataBytes, message) => {
    const path = rawFile(header, new Uint8Array(dataBytes));
    const error = await openSafetensors(path).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toContain(`${path}: `);
    expect((error as Error).message).toContain(message);
  });

  it("refuses a header longer than the file or than 100 MB without reading it", async () => {
    const path = rawFile("{}");
    const bytes = readFileSync(path);
    bytes.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 0);
    writeFileSync(path, bytes);
    await expect(openSafetensors(path)).rejects.toThrow(/header of 18446744073709551615 bytes, expected at most 2\./);
  });

  it("says which tensors there are when asked for another, and refuses a wrong type", async () => {
    const path = fresh();
    await writeSafetensors(path, [{ name: "a", dtype: "U8", shape: [], data: new Uint8Array(1) }]);
    const file = await openSafetensors(path);
    await expect(file.read("b")).rejects.toThrow(/no tensor `b`\. It holds a\./);
    await expect(file.readFloat32("a")).rejects.toThrow(/`a` is U8, expected F32, BF16 or F16/);
    await file.close();
    await expect(openSafetensors(join(directory, "absent"))).rejects.toThrow(/absent: it does not exist/);
  });
});

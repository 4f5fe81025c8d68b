import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { FileError } from "@espalier/core";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../testing/temporary.ts";
import { type Batch, type BatchOptions, readBatches } from "./batches.ts";
import { readDocuments, type ReadOptions } from "./documents.ts";
import { listCorpusFiles } from "./files.ts";

async function read(path: string, options: ReadOptions = {}): Promise<[string, string][]> {
  const documents: [string, string][] = [];
  for await (const { bytes, source } of readDocuments(await listCorpusFiles([path]), options)) documents.push([Buffer.from(bytes).toString("utf8"), source]);
  return documents;
}

async function readFile(name: string, content: string | Uint8Array, options: ReadOptions = {}): Promise<[string, string][]> {
  return await read(join(temporaryDirectory({ [name]: content }), name), options);
}

function noting() {
  const noted: string[] = [];
  return { noted, onMalformed: (source: string, reason: string) => noted.push(`${source} ${reason}`), onDamaged: (file: string, reason: string) => noted.push(`${file} ${reason}`) };
}

describe("CSV", () => {
  it("reads quoted fields with separators, quotes and line ends, and CRLF", async () => {
    const csv = 'id,text\r\n1,plain\r\n2,"a, ""b""\nc"\r\n\r\n3,"",\r\n4,last';
    const { noted, ...options } = noting();
    expect(await readFile("x.csv", csv, options)).toEqual([["plain", "x.csv:2"], ['a, "b"\nc', "x.csv:3"], ["last", "x.csv:5"]]);
    expect(noted).toEqual(["x.csv:4 3 fields, expected 2"]);
    expect(await readFile("x.tsv.gz", gzipSync("body\tn\na,b\t1\n"), { textField: "body" })).toEqual([["a,b", "x.tsv.gz:2"]]);
  });

  it("reads back any fields", async () => {
    const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", " ", "语") });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 8 }), async (rows) => {
        const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`;
        const csv = ["text,other", ...rows.map((row) => row.map(quoted).join(","))].join("\n");
        expect((await readFile("x.csv", csv)).map(([text]) => text)).toEqual(rows.map(([text]) => text).filter((text) => !/^[ \n\r]*$/.test(text)));
      }),
      { numRuns: 200 },
    );
  });

  it("locates a quote that never ends, and refuses a file without the column", async () => {
    const { noted, ...options } = noting();
    expect(await readFile("x.csv", 'text\nok\n"open\n', options)).toEqual([["ok", "x.csv:2"]]);
    expect(noted).toEqual(["x.csv:3 a quoted field does not end"]);
    await expect(readFile("x.csv", "a,b\n1,2\n")).rejects.toThrow(/names no column "text", it has a, b\. Name the column of text\./);
  });
});

describe("WARC", () => {
  const record = (type: string, body: string, headers = "") =>
    `WARC/1.0\r\nWARC-Type: ${type}\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}\r\n\r\n`;
  const http = (type: string, body: string) => `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n\r\n${body}`;
  const warc = record("warcinfo", "software: x") + record("conversion", "A page.\r\n\r\nIts text, 语言.") + record("request", "GET / HTTP/1.1\r\n\r\n")
    + record("response", http("text/plain; charset=utf-8", "plain")) + record("response", http("text/html", "<p>x</p>")) + record("resource", "a note", "Content-Type: text/plain\r\n");

  it.each([["x.warc", Buffer.from(warc)], ["x.wet", Buffer.from(warc)], ["x.warc.gz", Buffer.concat(warc.split(/(?=WARC\/1\.0\r\n)/).map((part) => gzipSync(part)))]])("reads texts of %s, HTML counted", async (name, content) => {
    const { noted, ...options } = noting();
    expect(await readFile(name, content, options)).toEqual([["A page.\r\n\r\nIts text, 语言.", `${name}:2`], ["plain", `${name}:4`], ["a note", `${name}:6`]]);
    expect(noted).toEqual([`${name}:5 content of type text/html, expected text/plain or a WET file`]);
  });

  it("refuses a record that is cut short or has no header, and keeps what came before when asked", async () => {
    const cut = record("conversion", "whole") + record("conversion", "cut short").slice(0, -8);
    await expect(readFile("x.wet", cut)).rejects.toThrow(/record 2: the record ends 4 bytes early/);
    const { noted, ...options } = noting();
    expect(await readFile("x.wet", cut, options)).toEqual([["whole", "x.wet:1"]]);
    expect(noted).toEqual(["x.wet the record ends 4 bytes early"]);
    await expect(readFile("x.wet", "no such thing\r\n\r\n")).rejects.toThrow(FileError);
    await expect(readFile("x.wet", "x".repeat(200_000))).rejects.toThrow(/expected a WARC header/);
  });
});

describe("Parquet", () => {
  const texts = Array.from({ length: 2500 }, (_, i) => `Row ${i}: ${"語 word ".repeat(i % 40)}`);
  const parquet = (codec: "SNAPPY" | "ZSTD" | "GZIP" | "UNCOMPRESSED", data: (string | null)[] = texts) =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [{ name: "id", data: data.map((_, i) => i), type: "INT32" }, { name: "text", data, type: "STRING", nullable: true }],
        codec,
        rowGroupSize: 700,
        compressors: { ZSTD: (bytes) => zstdCompressSync(bytes), GZIP: (bytes) => gzipSync(bytes) },
      }),
    );

  it.each(["SNAPPY", "ZSTD", "GZIP", "UNCOMPRESSED"] as const)("reads a column of %s pages over row groups", async (codec) => {
    const rows = await readFile("x.parquet", parquet(codec));
    expect(rows).toEqual(texts.map((text, i) => [text, `x.parquet:${i + 1}`]));
  });

  it("counts rows without text and reports the file's bytes", async () => {
    const { noted, ...options } = noting();
    const content = parquet("SNAPPY", ["a", null, "b"]);
    let bytes = 0;
    expect(await readFile("x.parquet", content, { ...options, onBytes: (more) => (bytes += more) })).toEqual([["a", "x.parquet:1"], ["b", "x.parquet:3"]]);
    expect(noted).toEqual(['x.parquet:2 no text in column "text"']);
    expect(bytes).toBe(content.length);
  });

  it("refuses a truncated file, another column and something else, naming the file", async () => {
    const whole = parquet("SNAPPY");
    for (const content of [whole.subarray(0, whole.length - 100), whole.subarray(0, 5000), new Uint8Array(0), Buffer.from("PAR1 no")]) {
      await expect(readFile("x.parquet", content)).rejects.toThrow(/x\.parquet: .*expected a whole Parquet file/s);
    }
    await expect(readFile("x.parquet", whole, { textField: "body" })).rejects.toThrow(/no column of text "body", it has text/);
  });

  it("ends in a FileError or rows on damaged bytes", async () => {
    const whole = parquet("SNAPPY", texts.slice(0, 50));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }), async (changes) => {
        const content = whole.slice();
        for (const [at, byte] of changes) content[at] = byte;
        const [file] = await listCorpusFiles([join(temporaryDirectory({ "x.parquet": content }), "x.parquet")]);
        try {
          for await (const { index } of readBatches(file!, 0, { textField: "text", deadlineMs: 500 })) expect(index).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(FileError);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("ends a decoder that damaged bytes keep busy without end", async () => {
    // Found by search: hyparquet 1.31.5 comes to no end on these (levels of a width of zero, in runs of a negative length).
    const whole = new Uint8Array(
      parquetWriteBuffer({ columnData: [{ name: "text", data: Array.from({ length: 50 }, (_, i) => `text number ${i} ${"x".repeat(i)}`), type: "STRING", nullable: true }], codec: "UNCOMPRESSED" }),
    );
    for (const changes of [[[40, 113], [36, 31], [16, 209]], [[23, 98], [27, 34], [2138, 239]]]) {
      const content = whole.slice();
      for (const [at, byte] of changes) content[at!] = byte!;
      const directory = temporaryDirectory({ "x.parquet": content });
      const [file] = await listCorpusFiles([join(directory, "x.parquet")]);
      const read = async (options: Partial<BatchOptions>) => {
        let batches = 0;
        for await (const batch of readBatches(file!, 0, { textField: "text", deadlineMs: 1000, ...options })) batches += batch.index >= 0 ? 1 : 0;
        return batches;
      };
      await expect(read({})).rejects.toThrow(new FileError(`reading ${file!.path}: its decoder was busy for 1 s, expected a whole Parquet file. Copy or download it again.`));
      const reasons: string[] = [];
      expect(await read({ onDamaged: (reason) => reasons.push(reason) })).toBe(0);
      expect(reasons).toHaveLength(1);
    }
  });
});

describe("damage", () => {
  it("keeps the readable beginning of a gzip file cut short when asked", async () => {
    const lines = Array.from({ length: 50_000 }, (_, i) => `{"text":"document number ${(i * 7919) % 50_000}"}`);
    const whole = gzipSync(lines.join("\n"));
    const { noted, ...options } = noting();
    const found = await readFile("x.jsonl.gz", whole.subarray(0, whole.length >> 1), options);
    expect(found.length).toBeGreaterThan(10_000);
    expect(found.map(([text]) => `{"text":"${text}"}`)).toEqual(lines.slice(0, found.length));
    expect(noted[0]).toMatch(/^x\.jsonl\.gz the gzip data are damaged or cut short/);
  });

  it("reads all members of a gzip file", async () => {
    const content = Buffer.concat(["one", "two", "three"].map((text) => gzipSync(`{"text":"${text}"}\n`)));
    expect((await readFile("x.jsonl.gz", content)).map(([text]) => text)).toEqual(["one", "two", "three"]);
    expect((await readFile("x.json.gz", content)).length).toBe(3);
  });
});

describe("patterns", () => {
  it("match files in the order of their paths, named from the first star on", async () => {
    const directory = temporaryDirectory({ "d/b.jsonl": '{"text":"b"}', "d/a.jsonl": '{"text":"a"}', "d/e/c.jsonl": '{"text":"c"}', "d/x.txt": "x" });
    expect(await read(join(directory, "d", "*.jsonl"))).toEqual([["a", "a.jsonl:1"], ["b", "b.jsonl:1"]]);
    expect((await read(join(directory, "**", "*.jsonl"))).map(([, source]) => source)).toEqual(["d/a.jsonl:1", "d/b.jsonl:1", "d/e/c.jsonl:1"]);
    await expect(read(join(directory, "*.csv"))).rejects.toThrow(/matches no file, expected at least one\. Check the pattern\./);
  });
});

describe("readBatches", () => {
  it("cuts lines at the same places however the disk delivers them", async () => {
    const line = (i: number) => `{"text":"${"x".repeat(1 + ((i * 7919) % 5000))}"}\n`;
    const text = Array.from({ length: 2000 }, (_, i) => line(i)).join("");
    const directory = temporaryDirectory({ "x.jsonl": text, "x.jsonl.gz": gzipSync(text), "y.jsonl.zst": zstdCompressSync(text) });
    const cuts = async (name: string) => {
      const [file] = await listCorpusFiles([join(directory, name)]);
      const batches: Batch[] = [];
      for await (const batch of readBatches(file!, 0, { textField: "text" })) batches.push(batch);
      expect(Buffer.concat(batches.map(({ bytes }) => bytes)).equals(readFileSync(join(directory, "x.jsonl")))).toBe(true);
      return batches.map(({ index, bytes }) => [index, bytes.length]);
    };
    const plain = await cuts("x.jsonl");
    expect(plain.length).toBeGreaterThan(3);
    for (const [, length] of plain.slice(0, -1)) expect(length).toBeGreaterThanOrEqual(1 << 20);
    expect(await cuts("x.jsonl.gz")).toEqual(plain);
    expect(await cuts("y.jsonl.zst")).toEqual(plain);
  });
});

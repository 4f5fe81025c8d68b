import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { FileError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../testing/temporary.ts";
import { readDocuments } from "./documents.ts";
import { listCorpusFiles } from "./files.ts";

async function read(paths: string[], options = {}): Promise<{ text: string; source: string }[]> {
  const documents = [];
  for await (const { bytes, source } of readDocuments(await listCorpusFiles(paths), options)) {
    documents.push({ text: Buffer.from(bytes).toString("utf8"), source });
  }
  return documents;
}

const lines = '{"text":"one","lang":"en"}\n\n{"text":"two\\nlines \\ud83d"}\n{"text":""}\n{"text":"three"}';
const documents = [
  { text: "one", source: "x:1" },
  { text: "two\nlines \ufffd", source: "x:3" },
  { text: "three", source: "x:5" },
];
const named = (name: string) => documents.map(({ text, source }) => ({ text, source: source.replace("x", name) }));

describe("listCorpusFiles", () => {
  it("walks directories in the order of names and takes readable kinds", async () => {
    const directory = temporaryDirectory({
      "b.txt": "b", "a/z.md": "z", "a/c.jsonl.gz": "", "a/image.png": "", ".hidden/x.txt": "x", "node_modules/m/i.js": "m", "B.jsonl.zst": "",
    });
    const files = await listCorpusFiles([{ path: directory, name: "corpus" }]);
    expect(files.map(({ name, kind, compression }) => [name, kind, compression])).toEqual([
      ["corpus/B.jsonl.zst", "jsonl", "zstd"],
      ["corpus/a/c.jsonl.gz", "jsonl", "gzip"],
      ["corpus/a/z.md", "text", "none"],
      ["corpus/b.txt", "text", "none"],
    ]);
  });

  it("says in one sentence what is missing", async () => {
    const directory = temporaryDirectory({ "image.png": "" });
    await expect(listCorpusFiles([join(directory, "no.txt")])).rejects.toThrow(`reading corpus ${join(directory, "no.txt")}: it does not exist. Check the path.`);
    await expect(listCorpusFiles([directory])).rejects.toThrow(/holds no file to read, expected some of \.jsonl/);
  });
});

describe("readDocuments", () => {
  it.each([
    ["x.jsonl", Buffer.from(lines)],
    ["x.jsonl.gz", gzipSync(lines)],
    ["x.jsonl.zst", zstdCompressSync(lines)],
    ["bom.jsonl", Buffer.from(`\ufeff${lines}`)],
  ])("reads %s", async (name, content) => {
    const directory = temporaryDirectory({ [name]: content });
    expect(await read([join(directory, name)])).toEqual(named(name));
  });

  it("joins lines that lie across chunks", async () => {
    const long = "word ".repeat(500_000); // 2.5 MB, chunks are 1 MB
    const directory = temporaryDirectory({ "long.jsonl": `${JSON.stringify({ text: long })}\n${JSON.stringify({ text: "end" })}\n` });
    expect((await read([join(directory, "long.jsonl")])).map(({ text }) => text)).toEqual([long, "end"]);
  });

  it("counts and locates malformed lines and goes on", async () => {
    const directory = temporaryDirectory({ "x.jsonl": '{"text":"a"}\n{"text":\n{"txt":"b"}\n7\n{"text":"c"}\n' });
    const malformed: string[] = [];
    const read2 = await read([join(directory, "x.jsonl")], { onMalformed: (source: string, reason: string) => malformed.push(`${source} ${reason}`) });
    expect(read2.map(({ text }) => text)).toEqual(["a", "c"]);
    expect(malformed).toEqual([expect.stringContaining("x.jsonl:2 not JSON: "), 'x.jsonl:3 no string "text"', 'x.jsonl:4 no string "text"']);
  });

  it("takes a text file as one document, without a byte order mark, invalid UTF-8 replaced", async () => {
    const directory = temporaryDirectory({ "a.txt": "\ufeffone\ntwo", "b.md": Uint8Array.of(0x61, 0xff, 0x62), "c.txt": " \n\n" });
    expect((await read([directory])).map(({ text }) => text)).toEqual(["one\ntwo", "a\ufffdb"]);
  });

  it.each([
    ["blank lines", "A line of a paragraph.\nAnother line.\n\n"],
    ["line ends", "A line of a very long paragraph.\n"],
    ["characters", "语"],
  ])("cuts a long text at %s and loses nothing", async (_, unit) => {
    const text = unit.repeat(Math.ceil(1_500_000 / unit.length));
    const directory = temporaryDirectory({ "book.txt": text });
    const parts = (await read([join(directory, "book.txt")])).map((document) => document.text);
    expect(parts.join("") === text).toBe(true);
    expect(parts.length).toBeGreaterThan(20);
    for (const part of parts.slice(0, -1)) {
      expect(Buffer.byteLength(part)).toBeLessThanOrEqual(64 * 1024);
      expect(part.endsWith(unit)).toBe(true);
    }
  });

  it("refuses binary files and damaged compression, naming the file", async () => {
    const whole = gzipSync("x".repeat(10_000));
    const zstd = zstdCompressSync(Buffer.from(Array.from({ length: 10_000 }, (_, i) => (i * i * 31) % 251)));
    const directory = temporaryDirectory({
      "binary.txt": Uint8Array.of(0x50, 0x4b, 0, 4),
      "cut.txt.gz": whole.subarray(0, whole.length - 12),
      "not.txt.gz": "plain text",
      "cut.txt.zst": zstd.subarray(0, zstd.length - 12),
    });
    await expect(read([join(directory, "binary.txt")])).rejects.toThrow(/binary\.txt: it holds NUL bytes, expected UTF-8 text/);
    for (const name of ["cut.txt.gz", "not.txt.gz", "cut.txt.zst"]) {
      const error: unknown = await read([join(directory, name)]).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(FileError);
      expect((error as Error).message).toMatch(new RegExp(`${name}: the (gzip|zstd) data are damaged or cut short`));
    }
  });

  it("reports stored bytes up to the files' size", async () => {
    const directory = temporaryDirectory({ "a.jsonl.gz": gzipSync(lines), "b.txt": "text" });
    const files = await listCorpusFiles([directory]);
    let bytes = 0;
    for await (const document of readDocuments(files, { onBytes: (more) => (bytes += more) })) expect(document.bytes.length).toBeGreaterThan(0);
    expect(bytes).toBe(files.reduce((sum, file) => sum + file.bytes, 0));
  });
});

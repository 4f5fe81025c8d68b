import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { FileError } from "@espalier/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory } from "../../testing/temporary.ts";
import { filesOf, publicCorpora, type PublicCorpus, readCorpora } from "./corpora.ts";
import { fetchInputs, pullCorpus } from "./pull.ts";

async function serve(files: Record<string, string>): Promise<{ base: string; files: Record<string, string>; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url!);
    const text = files[request.url!];
    if (text === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "content-length": Buffer.byteLength(text) }).end(text);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close().closeAllConnections());
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, files, requests };
}

const hex = (text: string) => createHash("sha256").update(text).digest("hex");
const corpusAt = (base: string): PublicCorpus => ({ name: "mine", description: "d", licence: "CC0-1.0", homepage: base, textField: "body", files: [{ url: `${base}/part-{00}.jsonl`, count: 3, first: 1 }] });

describe("pullCorpus", () => {
  it("downloads files in order, once, and holds later pulls to the digests of the first", async () => {
    const server = await serve({ "/part-01.jsonl": "1\n", "/part-02.jsonl": "2\n", "/part-03.jsonl": "3\n" });
    const directory = temporaryDirectory();
    const two = await pullCorpus(corpusAt(server.base), directory, { numFiles: 2 });
    expect(two).toMatchObject({ directory: join(directory, "mine"), textField: "body", files: [{ name: "part-01.jsonl", sha256: hex("1\n") }, { name: "part-02.jsonl", bytes: 2 }] });
    await pullCorpus(corpusAt(server.base), directory);
    expect(server.requests).toEqual(["/part-01.jsonl", "/part-02.jsonl", "/part-03.jsonl"]);
    const changed = temporaryDirectory({ "mine/.corpus.json": readFileSync(join(directory, "mine", ".corpus.json")) });
    server.files["/part-02.jsonl"] = "changed\n";
    await expect(pullCorpus(corpusAt(server.base), changed)).rejects.toThrow(new RegExp(`part-02\\.jsonl: sha256 is ${hex("changed\n")}, expected ${hex("2\n")}`));
    await expect(pullCorpus(corpusAt(server.base), changed, { numFiles: 4 })).rejects.toThrow(/4 files asked for, expected at most 3/);
  });
});

describe("pullCorpus, of files that are called alike", () => {
  it("keeps every one of them", async () => {
    const { base, requests } = await serve({ "/a/x.jsonl": "a\n", "/b/X.jsonl": "b\n", "/y.jsonl": "y\n" });
    const corpus = { ...corpusAt(base), files: ["/a/x.jsonl", "/b/X.jsonl", "/y.jsonl"].map((path) => ({ url: base + path })) };
    const directory = temporaryDirectory();
    const { files } = await pullCorpus(corpus, directory);
    expect(files.map(({ name }) => [name.replace(/^[0-9a-f]{12}-/, "#-"), readFileSync(join(directory, "mine", name), "utf8")])).toEqual([["#-x.jsonl", "a\n"], ["#-X.jsonl", "b\n"], ["y.jsonl", "y\n"]]);
    await pullCorpus(corpus, directory, { numFiles: 1 });
    expect(requests).toHaveLength(3);
  });
});

describe("fetchInputs", () => {
  it("puts files in the place of addresses, and checks the digest that an address names", async () => {
    const { base } = await serve({ "/a/x.jsonl?v=1": "one\n", "/b/x.jsonl": "two\n", "/%2e%2e%2fup.txt": "up" });
    const directory = temporaryDirectory();
    const found = await fetchInputs([`${base}/a/x.jsonl?v=1`, "local.txt", `${base}/b/x.jsonl#sha256=${hex("two\n")}`, `${base}/%2e%2e%2fup.txt`], directory);
    expect(found.map((input) => (typeof input === "string" ? input : [input.name, readFileSync(input.path, "utf8")]))).toEqual([["x.jsonl", "one\n"], "local.txt", ["x.jsonl", "two\n"], ["__up.txt", "up"]]);
    expect(readdirSync(directory).filter((name) => name !== ".lock").every((name) => /^[0-9a-f]{12}-/.test(name))).toBe(true);
    await expect(fetchInputs([`${base}/a/x.jsonl?v=1#sha256=${hex("other")}`], temporaryDirectory())).rejects.toThrow(FileError);
    await expect(fetchInputs([`${base}/b/x.jsonl#md5=1`], directory)).rejects.toThrow(/expected sha256= and 64 hexadecimal digits/);
  });
});

describe("lists of corpora", () => {
  it("the public ones are such a list, with names of their own", () => {
    expect(readCorpora(JSON.stringify({ format: "espalier-corpora", version: 1, corpora: publicCorpora }), "public")).toEqual(publicCorpora);
    expect(new Set(publicCorpora.map(({ name }) => name)).size).toBe(publicCorpora.length);
    for (const corpus of publicCorpora) {
      const urls = filesOf(corpus).map(({ url }) => url);
      expect(new Set(urls).size).toBe(urls.length);
      for (const url of urls) expect(url).toMatch(/^https:\/\/[^{}]+$/);
    }
    const c4 = publicCorpora.find(({ name }) => name === "c4-en")!;
    expect(filesOf(c4).at(-1)!.url).toMatch(/c4-train\.01023-of-01024\.json\.gz$/);
  });

  it.each([
    ["{}", /format unknown, expected espalier-corpora version 1/],
    [[null], /corpus 1: not an object/],
    [[{ name: "../up" }], /description is undefined/],
    [[{ ...corpusAt("http://h"), name: "../up" }], /it names a directory/],
    [[{ ...corpusAt("http://h"), files: [] }], /no files/],
    [[{ ...corpusAt("http://h"), files: [{ url: "file:///etc" }] }], /expected http or https/],
    [[{ ...corpusAt("http://h"), files: [{ url: "http://h/x", count: 2 }] }], /expected \{000\} in it/],
    [[{ ...corpusAt("http://h"), files: [{ url: "http://h/x", sha256: "12" }] }], /expected 64 hexadecimal digits/],
  ])("refuses %j", (corpora, message) => {
    const text = typeof corpora === "string" ? corpora : JSON.stringify({ format: "espalier-corpora", version: 1, corpora });
    expect(() => readCorpora(text, "list.json")).toThrow(message);
  });

  const shared = join(import.meta.dirname, "../../../../../../shared/data/corpus/en-tinyshakespeare.jsonl.gz");
  it.skipIf(!existsSync(shared))("the digest of the smallest is that of its text (needs the shared corpora)", () => {
    const { text } = JSON.parse(gunzipSync(readFileSync(shared)).toString("utf8")) as { text: string };
    expect(publicCorpora[0]!.files[0]).toMatchObject({ sha256: hex(text), bytes: Buffer.byteLength(text) });
  });
});

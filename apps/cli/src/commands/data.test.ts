import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readManifest } from "@espalier/tokenizer/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documents, espalier, jsonLines, temporaryDirectory } from "../testing/run.ts";

const scratch = temporaryDirectory();
const at = (...names: string[]) => join(scratch, ...names);
const parts = [gzipSync(documents(60)), gzipSync(documents(90))];
/** Every first answer breaks off in the middle; the next goes on from there. */
const served = new Set<string>();
const server = createServer((request, response) => {
  const file = parts[Number(/part-(\d)/.exec(request.url!)?.[1] ?? 9)];
  if (!file) return void response.writeHead(404).end();
  const start = Number(/\d+/.exec(request.headers.range ?? "0")![0]);
  response.writeHead(start > 0 ? 206 : 200, { etag: '"1"', "content-length": file.length - start, ...(start > 0 && { "content-range": `bytes ${start}-${file.length - 1}/${file.length}` }) });
  if (served.has(request.url!)) return void response.end(file.subarray(start));
  served.add(request.url!);
  response.write(file.subarray(0, file.length >> 1), () => setTimeout(() => response.destroy(), 20));
});
let base: string;

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const corpora = [{ name: "mine", description: "two parts", licence: "CC0-1.0", homepage: `${base}/`, textField: "text", files: [{ url: `${base}/part-{0}.jsonl.gz`, count: 2 }] }];
  writeFileSync(at("list.json"), JSON.stringify({ format: "espalier-corpora", version: 1, corpora }));
});
afterAll(() => {
  server.close().closeAllConnections();
  rmSync(scratch, { recursive: true });
});

describe("espalier data", () => {
  it("lists corpora with licences", async () => {
    const [table, json, own] = await Promise.all([espalier("data", "list"), espalier("data", "list", "--json"), espalier("data", "list", "--manifest", at("list.json"))]);
    expect(table.stdout).toMatch(/^name +files +size +licence\ntiny-shakespeare +1 +1\.12 MB +public domain/);
    expect(table.stdout).toMatch(/^c4-en +1024 +305 GB +ODC-By-1\.0 /m);
    expect(jsonLines(json.stdout)).toMatchObject([{ kind: "corpora" }]);
    expect(own.stdout).toMatch(/\nmine +2 +\? +CC0-1\.0 +two parts\n$/);
  });

  it("pulls over broken connections; tokenize takes the directory, and addresses themselves, to the same shards", async () => {
    const pulled = await espalier("data", "pull", "mine", "--manifest", at("list.json"), "--out", at("corpora"));
    expect(pulled).toMatchObject({ status: 0, stderr: "" });
    expect(pulled.stdout).toContain("Licence: CC0-1.0. Source and terms: ");
    expect(readFileSync(at("corpora", "mine", "part-1.jsonl.gz")).equals(parts[1]!)).toBe(true);
    served.clear();
    const digest = createHash("sha256").update(parts[1]!).digest("hex");
    const [fromDirectory, fromAddresses, wrong] = await Promise.all([
      espalier("tokenize", at("corpora", "mine"), "--out", at("a"), "--tokenizer", "gpt2"),
      espalier("tokenize", `${base}/part-0.jsonl.gz`, `${base}/part-1.jsonl.gz#sha256=${digest}`, "--out", at("b"), "--tokenizer", "gpt2"),
      espalier("tokenize", `${base}/part-0.jsonl.gz?2#sha256=${digest}`, "--out", at("c"), "--tokenizer", "gpt2"),
    ]);
    for (const ran of [fromDirectory, fromAddresses]) expect(ran).toMatchObject({ status: 0, stderr: "" });
    expect((await readManifest(at("b"))).train.sha256).toBe((await readManifest(at("a"))).train.sha256);
    expect(wrong).toMatchObject({ status: 1, stderr: expect.stringMatching(/^error downloading .*: sha256 is .*, expected .*\. It was removed/) as string });
    expect(readdirSync(at("c", "downloads"))).toEqual([".lock"]);
  });

  it("names what there is when asked for something else, and ends with 2 for wrong usage", async () => {
    const [unknown, list, usage, dry] = await Promise.all([
      espalier("data", "pull", "theirs", "--manifest", at("list.json")),
      espalier("data", "list", "--manifest", at("none.json")),
      espalier("data", "pull"),
      espalier("tokenize", `${base}/part-0.jsonl.gz`, "--out", at("d"), "--dry-run"),
    ]);
    expect(unknown).toMatchObject({ status: 2, stderr: 'error data: corpus "theirs", expected one of mine. Choose one of those.\n' });
    expect(list).toMatchObject({ status: 1, stderr: expect.stringContaining("none.json") as string });
    expect(usage).toMatchObject({ status: 2, stderr: expect.stringContaining("missing required argument 'name'") as string });
    expect(dry).toMatchObject({ status: 2, stderr: expect.stringContaining("addresses are not downloaded for it") as string });
  });
});

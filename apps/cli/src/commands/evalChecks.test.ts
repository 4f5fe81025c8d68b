import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { requestsHash, requestsOf, wsc273 } from "@espalier/evals";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { espalier, jsonLines, temporaryDirectory } from "../testing/run.ts";

const scratch = temporaryDirectory();
const at = (...names: string[]) => join(scratch, ...names);
afterAll(() => rmSync(scratch, { recursive: true }));

describe("espalier eval symbols", () => {
  const rows = ["0", "1"].flatMap((label) => Array.from({ length: 5 }, (_, k) => JSON.stringify({ sentence1: `问${k}`, sentence2: `答${label}${k}`, label })));
  const digest = createHash("sha256").update(rows.join("\n")).digest("hex");
  const manifest = (sha256: string) => writeFileSync(at("clue/manifest.json"), JSON.stringify({ files: { "afqmc/dev.json": { sha256, licence: "own" } } }));

  it("takes a file with the digest of its manifest, shows an item and writes the rest", async () => {
    mkdirSync(at("clue/afqmc"), { recursive: true });
    writeFileSync(at("clue/afqmc/dev.json"), rows.join("\n"));
    const place = at("clue/afqmc/dev.json");
    const unknown = await espalier("eval", "symbols", place);
    expect(unknown).toMatchObject({ status: 1, stderr: expect.stringContaining(`no manifest states a digest of afqmc/dev.json, expected one. If the file is the right one, put {"files": {"afqmc/dev.json": {"sha256": "${digest}"`) });
    manifest("00");
    expect((await espalier("eval", "symbols", place)).stderr).toContain(`has SHA-256 ${digest}, expected 00`);
    manifest(digest);
    const shown = await espalier("eval", "symbols", place, "--items", "10", "--out", at("items.jsonl"));
    expect(shown).toMatchObject({ status: 0, stderr: "" });
    expect(shown.stdout).toMatch(/^Symbolic mapping \(AFQMC\): 10 items, licence own\.\n\n两个问题意思相同吗？用<[^>]{8}> \/ <[^>]{8}>回答。\n/);
    expect(readFileSync(at("items.jsonl"), "utf8").trim().split("\n")).toHaveLength(11); // the first line is the canary
  });

  it("finds the digest in the manifest of the directory that has it as a knowledge test", async () => {
    mkdirSync(at("all/clue/afqmc"), { recursive: true });
    writeFileSync(at("all/clue/afqmc/dev.json"), rows.join("\n"));
    const state = (sha256: string) => writeFileSync(at("all/manifest.json"), JSON.stringify({ files: { "clue/afqmc/dev.json": { sha256 } } }));
    state(digest);
    expect(await espalier("eval", "symbols", at("all/clue/afqmc/dev.json"), "--items", "3")).toMatchObject({ status: 0, stderr: "" });
    state("00");
    expect((await espalier("eval", "symbols", at("all/clue/afqmc/dev.json"), "--items", "3")).stderr).toContain(`has SHA-256 ${digest}, expected 00`);
  });

  it("asks which set it is where the path does not say", async () => {
    writeFileSync(at("mine.json"), rows.join("\n"));
    expect((await espalier("eval", "symbols", at("mine.json"))).stderr).toMatch(/the path of mine\.json names no set, expected one that ends in boolq\/boolq_dev\.jsonl, .*Name the set with --set\./);
    writeFileSync(at("manifest.json"), JSON.stringify({ files: { "afqmc/dev.json": { sha256: digest } } }));
    const { status, stdout } = await espalier("eval", "symbols", at("mine.json"), "--set", "symbolAfqmc", "--items", "3", "--json");
    expect(status).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([{ kind: "symbols", value: { id: "symbolAfqmc", items: 3 } }]);
  });
});

describe("espalier eval golden", () => {
  const schemas = Array.from({ length: 6 }, (_, k) => ({ context_options: [`The man ${k}`, `A cat ${k}`], continuation: "left.", gold: k % 2 }));

  it("says of each recorded entry whether it is reproduced, and which file it lacks", async () => {
    mkdirSync(at("sets/wsc273"), { recursive: true });
    mkdirSync(at("sets/golden"));
    writeFileSync(at("sets/wsc273/winograd_wsc.jsonl"), schemas.map((schema) => JSON.stringify(schema)).join("\n"));
    const requests_sha256 = await requestsHash(requestsOf({ task: wsc273("v0.3"), docs: schemas }), 1);
    const record = (sha: string) => writeFileSync(at("sets/golden/lmeval_v0_regression.json"), JSON.stringify({ tasks: { "wsc273-v0": { requests_sha256: sha, results: {} }, "piqa-v0": { requests_sha256: "x", results: {} }, "sst-v0": { requests_sha256: "x", results: {} } } }));
    record(requests_sha256);
    const found = await espalier("eval", "golden", "--sets", at("sets"));
    expect(found).toMatchObject({ status: 0, stderr: "" });
    expect(found.stdout).toMatch(/^wsc273-v0 +reproduced +6 +1 *$/m);
    expect(found.stdout).toMatch(/^piqa-v0 +no data +needs piqa\/validation\.jsonl$/m);
    expect(found.stdout).toMatch(/^1 of 3 entries reproduced, 0 differ, 1 lack data, 1 have no task\.$/m);
    record("00");
    expect(await espalier("eval", "golden", "--sets", at("sets"))).toMatchObject({ status: 1, stdout: expect.stringMatching(/^wsc273-v0 +different .*recorded is 00/m) });
    expect((await espalier("eval", "golden", "--sets", at("none"))).stderr).toMatch(/^error eval golden: no .*expected the harness's record\./);
  });
});

describe("espalier eval of endpoints that only generate", () => {
  let asked: string[] = [];
  /** Says "1" to everything, as a completion or as a chat; knows no echo. */
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    asked.push(request.url!);
    if (text.includes('"echo"')) return response.writeHead(400).end('{"error":"echo is not supported"}');
    response.end(JSON.stringify({ choices: [{ text: " 1", message: { content: " 1" }, finish_reason: "stop" }] }));
  });
  const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => server.close());

  const commands: [name: string, args: () => string[], last: string][] = [
    ["eval", () => ["eval", address(), "--tasks", "countBits", "--items", "5"], "evaluation"],
    ["curve", () => ["eval", "curve", address(), "countBits", "--over", "level=tiny,small", "--items", "5"], "curve"],
    ["leak", () => ["eval", "leak", address(), "--private-seed", "heron", "--tasks", "countBits", "--items", "5"], "leak"],
    ["symbols", () => ["eval", "symbols", at("clue/afqmc/dev.json"), "--items", "3", "--on", address()], "evaluation"],
  ];
  it.each(commands)("%s takes a chat, and completions without echo", async (_name, args, last) => {
    const ask = (...more: string[]) => espalier(...args(), "--model", "m", ...more);
    asked = [];
    const refused = await ask();
    expect(refused).toMatchObject({ status: 1, stdout: expect.not.stringContaining("exact match") as string, stderr: expect.stringMatching(/^error openAi: \S+ does not echo .*\(--generation-only, or --chat where it chats/) as string });
    for (const [option, place] of [["--chat", "/v1/chat/completions"], ["--generation-only", "/v1/completions"]] as const) {
      asked = [];
      const { status, stdout, stderr } = await ask(option, "--json", "--cache", at("generated.jsonl"));
      expect([status, stderr, jsonLines(stdout).at(-1)!.kind]).toEqual([0, "", last]);
      expect(stdout).not.toContain('"scoring":"likelihood"');
      expect(new Set(asked)).toEqual(new Set([place]));
      asked = [];
      expect(await ask(option, "--json", "--cache", at("generated.jsonl"))).toMatchObject({ status: 0 });
      expect(asked).toEqual([]); // every answer was in the cache
    }
  });

  it("refuses likelihoods before anything is asked", async () => {
    asked = [];
    const curve = await espalier("eval", "curve", address(), "countBits", "--over", "level=tiny", "--model", "m", "--chat", "--scoring", "likelihood");
    expect(curve).toMatchObject({ status: 2, stderr: `error eval curve: ${address()} is asked for generation only (--chat), but --scoring wants likelihoods. Choose --scoring "exact match".\n` });
    const leak = await espalier("eval", "leak", address(), "--private-seed", "heron", "--model", "m", "--generation-only", "--scoring", "likelihood per character");
    expect(leak).toMatchObject({ status: 2, stderr: expect.stringContaining("eval leak: ") as string });
    expect(asked).toEqual([]);
  });
});

describe("espalier eval of an endpoint that stops in the middle", () => {
  let asked = 0;
  let limit = Infinity;
  const answered: string[] = [];
  /** One token a character, its log-probability made up; beyond the limit it refuses. */
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const { prompt, echo } = JSON.parse(text) as { prompt: string; echo?: boolean };
    if (asked++ > limit) return response.writeHead(401).end('{"error":"key revoked"}');
    answered.push(text);
    const tokens = [...(echo ? prompt : ""), "x"];
    const token_logprobs = tokens.map((token, k) => (k === 0 && echo ? null : -(token.codePointAt(0)! % 7) - 0.1));
    response.end(JSON.stringify({ choices: [{ text: tokens.join(""), finish_reason: "length", logprobs: { tokens, token_logprobs } }] }));
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => server.close());

  it("says in one sentence what it lacks and that the answers are kept; the same command ends with the same bytes", async () => {
    const evaluated = (...out: string[]) =>
      espalier("eval", `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, "--model", "m", "--tasks", "counting", "copying", "--items", "100", ...out);
    expect(await evaluated("--out", at("whole"))).toMatchObject({ status: 0, stderr: "" });
    const logOf = (name: string) => readFileSync(at(name, "iq.jsonl"), "utf8");
    limit = 1.9 * asked;
    const whole = new Set(answered);
    answered.length = 0;
    const stopped = await evaluated("--out", at("part"));
    expect(stopped.status).toBe(1);
    expect(stopped.stderr).toMatch(/^error openAi: \S+ answered status 401, expected 200: \{"error":"key revoked"\}\..* The answers so far are kept: the same command goes on from them\.\n$/);
    const part = logOf("part");
    expect(part.length).toBeGreaterThan(0);
    expect(part.length).toBeLessThan(logOf("whole").length);
    limit = Infinity;
    expect(await evaluated("--out", at("part"))).toMatchObject({ status: 0, stderr: "" });
    expect(logOf("part")).toBe(logOf("whole"));
    const probe = answered[0];
    const asks = answered.filter((body) => body !== probe);
    expect(new Set(asks)).toEqual(new Set([...whole].filter((body) => body !== probe)));
    expect(asks.length - new Set(asks).size).toBeLessThan(4); // answers under way at the failure are asked again, no others
    limit = asked + 5;
    expect((await evaluated()).stderr).toMatch(/Answers are kept only with --out\.\n$/);
  });
});

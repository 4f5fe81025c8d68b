import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeTiktoken } from "@espalier/tokenizer";
import { encoding } from "@espalier/tokenizer/node";
import { afterAll, describe, expect, it } from "vitest";
import { espalier, jsonLines, start, temporaryDirectory } from "../testing/run.ts";

const scratch = temporaryDirectory();
const at = (name: string) => join(scratch, name);
afterAll(() => rmSync(scratch, { recursive: true }));

describe("espalier tokens", () => {
  it("shows the tokens of a text, with bars where there are no colours, and ids when asked", async () => {
    const [plain, ids, special] = await Promise.all([
      espalier("tokens", "Hello world<|endoftext|>"),
      espalier("tokens", "Hello world", "--ids", "--tokenizer", "gpt2"),
      espalier("tokens", "Hello world<|endoftext|>", "--special", "--ids"),
    ]);
    expect(plain).toEqual({ status: 0, stderr: "", stdout: "Hello│ world│<│|│endo│ft│ext│|│>\n9 tokens of cl100k_base; 24 bytes, 2.67 bytes a token\n" });
    expect(ids.stdout).toBe("Hello:15496│ world:995\n2 tokens of gpt2; 11 bytes, 5.50 bytes a token\n");
    expect(special.stdout).toContain("Hello:9906│ world:1917│<|endoftext|>:100257\n3 tokens");
  });

  it("reads a file and a tokeniser file, and lets nothing of a text act on the terminal", async () => {
    writeFileSync(at("text.txt"), "a\tb\n\u001b[31m\u202e𓀀\r\n");
    writeFileSync(at("own.tiktoken"), writeTiktoken(encoding("gpt2").ranks));
    const { status, stdout } = await espalier("tokens", at("text.txt"), "--tokenizer", at("own.tiktoken"));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^a│\\t│b│↵\n│\\u001b│\[│31│m│/);
    expect(stdout).toContain("\\xf0");
    expect(stdout).not.toMatch(/[\u001b\r\u202e]/);
  });

  it("prints JSON that holds every token, reads standard input, and shows at most what --limit says", async () => {
    const { child, done } = start(["tokens", "-", "--json"], undefined, "pipe");
    child.stdin!.end("Hello world");
    const [ran, limited] = await Promise.all([done, espalier("tokens", "one two three four", "--limit", "2")]);
    expect(jsonLines(ran.stdout)).toEqual([
      {
        kind: "tokens",
        value: {
          tokenizer: "cl100k_base", encoder: expect.stringMatching(/^(native|wasm)$/) as string, numTokens: 2, numBytes: 11,
          tokens: [{ id: 9906, start: 0, end: 5, text: "Hello" }, { id: 1917, start: 5, end: 11, text: " world" }],
        },
      },
    ]);
    expect(limited.stdout).toBe("one│ two\n4 tokens of cl100k_base, 2 of them shown; 18 bytes, 4.50 bytes a token\n");
  });

  it("colours each token unlike its neighbours, and never across the end of a line", async () => {
    const { stdout } = await start(["tokens", "Hello world\n\nx", "--ids"], undefined, "ignore", { NO_COLOR: undefined, FORCE_COLOR: "1" }).done;
    const backgrounds = stdout.match(/\u001b\[4[1-7]m/g)!;
    expect(backgrounds).toHaveLength(5); // one of the four tokens has two lines
    expect(new Set(backgrounds).size).toBe(4);
    for (const line of stdout.split("\n")) expect(line.match(/\u001b\[4[1-7]m/g)?.length ?? 0).toBe(line.match(/\u001b\[49m/g)?.length ?? 0);
  });

  it("shows the tokens of a Llama-style file, and names a model that it cannot read", async () => {
    const replace = { type: "Replace", pattern: { String: " " }, content: "\u2581" };
    const bpe = { type: "BPE", vocab: { "<unk>": 0, "\u2581": 1, a: 2, b: 3, "\u2581a": 4 }, merges: [["\u2581", "a"]], unk_token: "<unk>" };
    const normalizer = { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "\u2581" }, replace] };
    writeFileSync(at("llama.json"), JSON.stringify({ normalizer, model: bpe }));
    writeFileSync(at("wordPiece.json"), JSON.stringify({ model: { type: "WordPiece", vocab: { a: 0 } } }));
    writeFileSync(at("bytes.txt"), Uint8Array.of(0x61, 0xff));
    const [shown, wordPiece, bytes] = await Promise.all([
      espalier("tokens", "a bc", "--ids", "--tokenizer", at("llama.json")),
      espalier("tokens", "a", "--tokenizer", at("wordPiece.json")),
      espalier("tokens", at("bytes.txt"), "--tokenizer", at("llama.json")),
    ]);
    expect(shown).toMatchObject({ status: 0, stderr: "", stdout: expect.stringMatching(/^\u2581a:4│\u2581:1│b:3│<unk>:0\n4 tokens of .*llama\.json; 4 bytes, 1\.00 bytes a token\n$/) as string });
    expect(wordPiece).toMatchObject({ status: 1, stdout: "", stderr: expect.stringMatching(/wordPiece\.json: a "WordPiece" model, expected BPE/) as string });
    expect(bytes).toMatchObject({ status: 1, stderr: expect.stringMatching(/bytes that are no UTF-8/) as string });
  });

  it("says what is no tokeniser", async () => {
    expect(await espalier("tokens", "x", "--tokenizer", at("none.json"))).toMatchObject({ status: 1, stdout: "", stderr: expect.stringMatching(/^error .*none\.json.*Names that need no file/) as string });
  });

  it("writes the page that does the same in a browser", { timeout: 120_000 }, async () => {
    expect(await espalier("tokens", "--page", at("tokens.html"))).toMatchObject({ status: 0, stderr: "" });
    expect(readFileSync(at("tokens.html"), "utf8")).toContain("Espalier: tokens of a text");
  });
});

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPage, hasBrowser, loadsFromElsewhere, type OpenedPage, openPage, overflow, windows } from "../testing/page.ts";

const vocab = Object.fromEntries(["<unk>", "<s>", "▁", "a", "b", "▁a", "ab", "▁ab", "<0x0A>", ...Array.from("小", String)].map((token, id) => [token, id]));
const llamaFile = Buffer.from(JSON.stringify({
  added_tokens: [{ id: 0, content: "<unk>" }, { id: 1, content: "<s>" }],
  normalizer: { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, { type: "Replace", pattern: { String: " " }, content: "▁" }] },
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  model: { type: "BPE", vocab, merges: [["▁", "a"], ["▁a", "b"], ["a", "b"]], unk_token: "<unk>", byte_fallback: true, fuse_unk: true },
}));

let directory: string;
beforeAll(async () => {
  directory = await buildPage("vite.tokens.config.ts");
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true }));

describe("the page of tokens", () => {
  it("is one file that loads nothing from elsewhere", () => {
    expect(loadsFromElsewhere(readFileSync(join(directory, "tokens.html"), "utf8"))).toBeUndefined();
  });

  describe.skipIf(!hasBrowser)("in Chromium", () => {
    let opened: OpenedPage;
    let tab: Page;
    beforeAll(async () => {
      opened = await openPage(join(directory, "tokens.html"), ".token", [1200, 900]);
      tab = opened.tab;
    }, 60_000);
    afterAll(() => opened.close());

    const titles = () => tab.locator(".token").evaluateAll((tokens) => tokens.map((token) => Number.parseInt((token as HTMLElement).title, 10)));
    const shows = async (ids: readonly number[]) => expect.poll(titles).toEqual(ids);

    it("encodes by WebAssembly as one types, special tokens as text", async () => {
      expect(await tab.textContent(".numbers")).toContain("by WebAssembly");
      await tab.fill("textarea", "Hello world");
      await shows([9906, 1917]);
      await tab.fill("textarea", "hasOwnProperty");
      await shows([4752, 19964]);
      await tab.fill("textarea", "<|endoftext|>");
      await expect.poll(async () => (await titles()).length).toBeGreaterThan(1);
      await tab.check('label:has-text("special tokens") input');
      await shows([100257]);
      await tab.uncheck('label:has-text("special tokens") input');
    });
    it("shows ids, and the bytes of a token that is a part of a character", async () => {
      await tab.fill("textarea", "𓀀");
      await expect.poll(() => tab.locator(".token.part").allTextContents()).toEqual(["f0", "93", "80", "80"]);
      await tab.check('label:has-text("ids") input');
      expect(await tab.locator(".token sub").allTextContents()).toEqual(["172", "241", "222", "222"]);
      await tab.uncheck('label:has-text("ids") input');
    });
    it("changes the tokeniser, opens one from a file, and says what is no tokeniser", async () => {
      await tab.fill("textarea", "Hello world");
      await tab.selectOption("select", "gpt2");
      await shows([15496, 995]);
      await tab.selectOption("select", "o200k_base");
      await shows([13225, 2375]);
      const bytes = Array.from({ length: 256 }, (_, byte) => `${Buffer.of(byte).toString("base64")} ${byte}`);
      const file = (name: string, text: string) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(text) });
      await tab.setInputFiles('input[type="file"]', file("own.tiktoken", `${[...bytes, `${Buffer.from("He").toString("base64")} 256`].join("\n")}\n`));
      await shows([256, ...Buffer.from("llo world")]);
      await tab.setInputFiles('input[type="file"]', file("broken.json", "{}"));
      await tab.waitForSelector(".problem");
      expect(await tab.textContent(".problem")).toContain("broken.json");
      await tab.selectOption("select", "cl100k_base");
      await shows([9906, 1917]);
    });
    it("opens a Llama-style file: tokens by their names, with the bytes that each covers", async () => {
      await tab.setInputFiles('input[type="file"]', { name: "llama.json", mimeType: "application/json", buffer: llamaFile });
      await tab.fill("textarea", "ab a\n小<s>");
      await expect.poll(() => tab.locator(".token").allTextContents()).toContain("▁ab");
      const tokens = await tab.locator(".token").evaluateAll((all) => all.map((token) => [token.textContent, (token as HTMLElement).title]));
      expect(tokens.slice(0, 4)).toEqual([["▁ab", "7: 61 62"], ["▁a", "5: 20 61"], ["<0x0A>", "8: 0a"], ["小", "9: e5 b0 8f"]]);
      expect(await tab.textContent(".numbers")).toContain("by WebAssembly");
      await tab.check('label:has-text("special tokens") input');
      await expect.poll(titles).toEqual([7, 5, 8, 9, 1]);
      await tab.uncheck('label:has-text("special tokens") input');
      expect(await overflow(tab, "llama", "light", 1200)).toBe(0);
      await tab.selectOption("select", "cl100k_base");
    });
    it("answers a long text without showing all of it", async () => {
      await tab.fill("textarea", "tree ".repeat(20_000));
      await tab.waitForSelector(".hint");
      expect(await tab.locator(".token").count()).toBe(5000);
      await tab.fill("textarea", "");
      await shows([]);
    });
    /** Milliseconds that the page takes for it. */
    const paste = (text: string) =>
      tab.evaluate((text) => {
        const data = new DataTransfer();
        data.setData("text/plain", text);
        const area = document.querySelector("textarea")!;
        const from = performance.now();
        area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        void area.scrollHeight; // laid out
        return performance.now() - from;
      }, text);
    it.each(["cl100k_base", "a Llama-style file"])("takes a megabyte of many lines that is pasted, and the next text while it works, with %s", async (kind) => {
      if (kind === "cl100k_base") await tab.selectOption("select", kind);
      else await tab.setInputFiles('input[type="file"]', { name: "llama.json", mimeType: "application/json", buffer: llamaFile });
      await tab.fill("textarea", "");
      const tokensNow = async () => Number((await tab.textContent(".numbers strong"))!.replaceAll(",", ""));
      await expect.poll(tokensNow).toBe(0);
      const started = performance.now();
      const blockedMs = await paste("ab a b ab 小 tree\n".repeat(1e6 / 20));
      await expect.poll(tokensNow, { timeout: 15_000 }).toBeGreaterThan(399_999);
      expect([blockedMs < 3000, performance.now() - started < 15_000]).toEqual([true, true]); // by the browser's own way: a minute
      expect(await tab.locator(".token").count()).toBe(5000);
      expect(await tab.textContent(".hint")).toContain("5,000");
      expect(await overflow(tab, `long-${kind.slice(0, 2)}`, "light", 1200)).toBe(0);
      await tab.focus("textarea");
      await tab.evaluate(() => document.querySelector("textarea")!.select());
      await paste("ab");
      await expect.poll(tokensNow).toBeLessThan(3);
      await tab.selectOption("select", "cl100k_base");
    }, 60_000);
    it.each(windows)("fits its window in %s at %i pixels", async (colorScheme, width) => {
      expect(await overflow(tab, "tokens", colorScheme, width)).toBe(0);
    });
  });
});

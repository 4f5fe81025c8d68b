import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPage, hasBrowser, loadsFromElsewhere, type OpenedPage, openPage, overflow, windows } from "../testing/page.ts";

let directory: string;
beforeAll(async () => {
  directory = await buildPage("vite.config.ts", "samples");
});
afterAll(() => rmSync(directory, { recursive: true }));

const NUM_SAMPLES = 30_000;
const sample = (i: number, right: boolean) => `${JSON.stringify({ key: `t/${i}`, task: i % 2 ? "odd" : "even", prompt: `A long prompt ${"word ".repeat(20)}\nItem number ${i}?`, target: "yes", choices: ["yes", "no"], generated: right ? "yes" : "no", logprobs: right ? [-0.1, -2] : [-2, -0.1], correct: { "exact match": right } })}\n`;
function writeLog(name: string, isRight: (i: number) => boolean): string {
  const path = join(directory, name);
  writeFileSync(path, Array.from({ length: NUM_SAMPLES }, (_, i) => sample(i, isRight(i))).join(""));
  return path;
}

describe("the viewer of samples", () => {
  it("is one file that loads nothing from elsewhere", () => {
    expect(loadsFromElsewhere(readFileSync(join(directory, "samples.html"), "utf8"))).toBeUndefined();
  });

  describe.skipIf(!hasBrowser)("in Chromium (skipped where it is not installed)", () => {
    let opened: OpenedPage;
    let tab: Page;
    const shown = () => tab.textContent("output");
    const settled = (text: string) => tab.waitForFunction((wanted) => document.querySelector("output")?.textContent === wanted, text, { timeout: 20_000 });
    beforeAll(async () => {
      opened = await openPage(join(directory, "samples.html"), 'input[data-side="a"]', [1280, 860]);
      tab = opened.tab;
      await tab.setInputFiles('input[data-side="a"]', writeLog("a.jsonl", (i) => i % 3 > 0));
      await tab.setInputFiles('input[data-side="b"]', writeLog("b.jsonl", (i) => i % 10 > 0));
      await settled("30,000 of 30,000");
      await tab.waitForSelector("text=B wrong");
    });
    afterAll(() => opened.close());

    it("says why a file shows nothing, and marks no list of it", async () => {
      const another = await openPage(join(directory, "samples.html"), 'input[data-side="a"]', [1280, 860]);
      const other = another.tab;
      const open = async (name: string, text: string) => {
        writeFileSync(join(directory, name), text);
        await other.setInputFiles('input[data-side="a"]', join(directory, name));
        await other.waitForSelector(`[role=alert]:has-text("${name}")`);
        const said = await other.textContent("[role=alert]");
        await other.click('button[aria-label="Close A"]');
        return said;
      };
      expect(await open("empty.jsonl", "")).toBe("empty.jsonl: is empty. The evaluation has not answered an item yet.");
      expect(await open("other.jsonl", 'hello\n{"a": 1}\n')).toBe("other.jsonl: holds no sample, but 2 other lines. Open a log in one of the forms below.");
      expect(await other.locator(".list").count()).toBe(0);
      await another.close();
    });

    it("says how often each is right, and where they differ", async () => {
      expect(await tab.textContent(".summary")).toMatch(/66\.7 %.*20,000 of 30,000.*90\.0 %.*27,000 of 30,000.*only A right 2,000, only B 9,000; a real difference/);
    });

    it("filters to wrong answers and to differences, and searches the text", async () => {
      await tab.click('button:has-text("A wrong")');
      await settled("10,000 of 30,000");
      await tab.click('button:has-text("Differ")');
      await settled("11,000 of 30,000");
      await tab.selectOption('select[aria-label="Task"]', "odd");
      await settled("5,000 of 30,000"); // odd multiples of 3; no multiple of 10 is odd
      await tab.click(".segments button:first-child");
      await tab.selectOption('select[aria-label="Task"]', "");
      await tab.fill("input[type=search]", "Number 12345");
      await settled("1 of 30,000");
      expect(await tab.textContent(".detail mark")).toBe("number 12345");
      await tab.fill("input[type=search]", "");
      await settled("30,000 of 30,000");
    });

    it("keeps only rows in sight, to the last of them, and shows both answers of a chosen one", async () => {
      await tab.evaluate(() => {
        const list = document.querySelector(".list")!;
        list.scrollTop = list.scrollHeight;
      });
      await tab.waitForSelector("text=Item number 29999?");
      expect(await tab.locator(".row").count()).toBeLessThan(40);
      await tab.click("text=Item number 29991?");
      await tab.waitForFunction(() => document.querySelector(".key")?.textContent === "t/29991");
      await tab.waitForSelector(".answers section.b .scores"); // the second log is read after the first
      expect(await tab.locator(".answers section.a .scores .wrong").count()).toBe(1);
      expect(await tab.locator(".answers section.b .scores .right").count()).toBe(1);
      await tab.keyboard.press("ArrowDown");
      await tab.waitForFunction(() => document.querySelector(".key")?.textContent === "t/29992");
      expect(await shown()).toBe("30,000 of 30,000");
      await tab.focus(".list");
      for (const [key, item] of [["Home", "t/0"], ["PageDown", "t/10"], ["k", "t/9"], ["End", "t/29999"]] as const) {
        await tab.keyboard.press(key);
        await tab.waitForFunction((wanted) => document.querySelector(".key")?.textContent === wanted, item);
      }
    });

    it.each(windows)("fits its window in %s at %i pixels", async (colorScheme, width) => {
      expect(await overflow(tab, "samples", colorScheme, width)).toBe(0);
    });
  });
});

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPage, hasBrowser, loadsFromElsewhere, type OpenedPage, openPage, overflow, windows } from "../testing/page.ts";
import { flmRequest, propose, runOf, timeAll } from "./plan.ts";

describe("propose", () => {
  const timed = timeAll(flmRequest);
  const { best, scratch, smaller, paper } = propose(timed, flmRequest);
  it("puts the best schedule, the paper's split and both rivals side by side at the same cost", () => {
    const yours = runOf("growth", best.lossMatching, timed, flmRequest);
    for (const run of [scratch, smaller, paper!]) expect(run.days.value).toBeCloseTo(yours.days.value, 1);
    expect(yours.loss.lossMatching.value).toBeLessThan(paper!.loss.lossMatching.value);
    expect(yours.loss.lossMatching.value).toBeLessThan(scratch.loss.lossMatching.value);
    expect(smaller.stages).toHaveLength(1);
  });
  it("says what does not fit", () => {
    expect(() => timeAll({ target: "flm-101b", gpu: "A100-SXM-40GB", gpus: 8 })).toThrow(/fits no layout of 8 A100-SXM-40GB/);
  });
});

let directory: string;
beforeAll(async () => {
  directory = await buildPage("vite.planner.config.ts");
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("the planner's page", () => {
  it("is one file that loads nothing from elsewhere", () => {
    expect(loadsFromElsewhere(readFileSync(join(directory, "planner.html"), "utf8"))).toBeUndefined();
  });

  describe.skipIf(!hasBrowser)("in Chromium", () => {
    let opened: OpenedPage;
    let tab: Page;
    beforeAll(async () => {
      opened = await openPage(join(directory, "planner.html"), ".boundary", [1360, 1000]);
      tab = opened.tab;
    });
    afterAll(() => opened.close());

    const predicted = async () => Number(await tab.textContent(".numbers strong"));
    const settled = () => tab.waitForFunction(() => !document.querySelector(".stale"));

    it("shows the optimum, which no drag beats, and follows the pointer and the keyboard", async () => {
      const best = await predicted();
      const boundary = tab.locator(".boundary").first();
      const box = (await boundary.locator(".handle").boundingBox())!;
      await tab.mouse.move(box.x + box.width / 2, box.y + 5);
      await tab.mouse.down();
      await tab.mouse.move(box.x + 160, box.y + 5, { steps: 4 });
      await tab.mouse.up();
      const dragged = Number(await boundary.getAttribute("aria-valuenow"));
      expect(await predicted()).toBeGreaterThanOrEqual(best);
      await boundary.focus();
      await tab.keyboard.press("ArrowLeft");
      expect(Number(await boundary.getAttribute("aria-valuenow"))).toBeLessThan(dragged);
      await tab.click("text=best, loss matching");
      expect(await predicted()).toBe(best);
    });
    it("answers the budget slider with fewer tokens and a higher loss", async () => {
      const before = await predicted();
      await tab.locator('input[aria-label="budget"]').focus();
      for (let i = 0; i < 20; i++) await tab.keyboard.press("ArrowLeft");
      await settled();
      expect(await predicted()).toBeGreaterThan(before);
      await tab.click("text=FLM-101B's own constraints");
      await settled();
      expect(await predicted()).toBe(before);
    });
    it("names every rival, changes a stage's size, and explains a target that does not fit", async () => {
      const text = (await tab.textContent("main"))!;
      for (const name of ["plain smaller model", "target from scratch", "FLM-101B's split", "naive", "with transfer"]) expect(text).toContain(name);
      const size = tab.locator('select[aria-label="size of stage 1"]');
      await size.selectOption({ index: 0 });
      expect(await tab.textContent(".losses")).toContain("best by loss matching");
      await tab.locator('select:has(option:text("A100-SXM-40GB"))').selectOption("A100-SXM-40GB");
      await tab.locator('input[aria-label="GPUs"]').focus();
      await tab.keyboard.press("Home");
      await tab.waitForSelector(".problem");
      expect(await tab.textContent(".problem")).toMatch(/fits no layout of 8 A100-SXM-40GB/);
      await tab.click("text=FLM-101B's own constraints");
      await tab.waitForSelector(".boundary");
    });
    it("shows the table of stages whole on a wide screen: no column behind the edge", async () => {
      await tab.setViewportSize({ width: 1360, height: 1000 });
      expect(await tab.locator("table.stages th").last().textContent()).toBe("memory");
      expect(await tab.evaluate(() => {
        const table = document.querySelector("table.stages")!;
        return table.getBoundingClientRect().right - table.parentElement!.getBoundingClientRect().right;
      })).toBeLessThanOrEqual(1);
    });
    it.each(windows)("fits its window in %s at %i pixels", async (colorScheme, width) => {
      expect(await overflow(tab, "planner", colorScheme, width)).toBe(0);
    });
  });
});

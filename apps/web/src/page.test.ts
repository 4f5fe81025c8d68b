import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPage, hasBrowser, loadsFromElsewhere, type OpenedPage, openPage, overflow, windows } from "./testing/page.ts";
import { sampleReport } from "./testing/sampleReport.ts";

let directory: string;
let page: string;
beforeAll(async () => {
  directory = await buildPage("vite.config.ts");
  page = readFileSync(join(directory, "index.html"), "utf8");
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The page with a report in it, as a file. */
function embedded(name: string, report: unknown): string {
  const file = join(directory, name);
  const json = JSON.stringify(report).replaceAll("<", "\\u003c");
  writeFileSync(file, page.replace('id="report-data">null', () => `id="report-data">${json}`));
  return file;
}

describe("the page", () => {
  it("is one file that loads nothing from elsewhere", () => {
    const markup = page.replace(/<script type="module">[\s\S]*?<\/script>/g, "");
    expect(loadsFromElsewhere(page)).toBeUndefined();
    expect(markup.includes('<script type="application/json" id="report-data">null</script>')).toBe(true);
    expect(markup.length).toBeLessThan(20_000);
  });

  describe.skipIf(!hasBrowser)("in Chromium (skipped where it is not installed)", () => {
    let opened: OpenedPage;
    let tab: Page;
    beforeAll(async () => {
      opened = await openPage(embedded("report.html", sampleReport), ".chart svg", [1200, 900]);
      tab = opened.tab;
    });
    afterAll(() => opened.close());

    it("shows headline, caveat, chart and every claim of an embedded report", async () => {
      expect(await tab.textContent("h1")).toBe(sampleReport.headline);
      expect(await tab.textContent(".caveat")).toBe(sampleReport.caveat);
      for (const { id } of sampleReport.claims) expect(await tab.textContent("body")).toContain(id);
      const before = await tab.innerHTML(".chart");
      await tab.getByRole("button", { name: "tokens", exact: true }).click();
      await tab.waitForFunction((old) => document.querySelector(".chart")!.innerHTML !== old, before);
    });
    it("shows each comparison with its interval, and says which side it favours", async () => {
      const row = await tab.textContent(".forest-row.for-grown");
      expect(row).toContain(sampleReport.comparisons[0]!.name);
      expect(row).toContain("grown is better");
      expect(row).toContain("−0.060 nats [−0.080, −0.040]");
    });
    it("counts verdicts at the top, and filters claims by verdict with the keyboard", async () => {
      expect(await tab.textContent(".verdicts")).toContain("3 claims of the paper: 1 exact · 1 reproduced · 1 not testable here");
      await tab.getByRole("button", { name: "exact 1" }).focus();
      await tab.keyboard.press("Enter");
      expect(await tab.locator(".claims code").first().textContent()).toBe("cost.gpt3");
      await tab.getByRole("button", { name: "all 3" }).click();
      expect(await tab.locator(".claims tbody tr").count()).toBe(3);
    });
    it.each(windows)("fits its window in %s at %i pixels", async (colorScheme, width) => {
      expect(await overflow(tab, "report", colorScheme, width)).toBe(0);
    });
    it("names every picture, button and box for a screen reader", async () => {
      for (const chart of await tab.locator(".chart > svg, .chart > figure").all()) expect((await chart.getAttribute("aria-label"))!.length).toBeGreaterThan(20);
      expect(await tab.getByLabel("show pilots").count()).toBe(1);
      expect(await tab.locator('.wide:not([aria-label])').count()).toBe(0);
    });
    it("shows a run of which only pilots are finished", async () => {
      const pilots = { ...sampleReport, arms: sampleReport.arms.filter((arm) => arm.role === "pilot"), axisProbes: [], comparisons: [], equalLoss: [], trend: [], claims: [] };
      const early = await openPage(embedded("early.html", pilots), ".chart svg", [1200, 900]);
      expect(await early.tab.locator("h2").allTextContents()).toEqual(["How it was made"]);
      await early.close();
    });
  });
});

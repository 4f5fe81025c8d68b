import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPage, hasBrowser, loadsFromElsewhere, openBrowser } from "./testing/page.ts";
import { sampleReport } from "./testing/sampleReport.ts";

let directory: string;
let page: string;
beforeAll(async () => {
  directory = await buildPage("vite.config.ts");
  page = readFileSync(join(directory, "index.html"), "utf8");
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("the page", () => {
  it("is one file that loads nothing from elsewhere", () => {
    const markup = page.replace(/<script type="module">[\s\S]*?<\/script>/g, "");
    expect(loadsFromElsewhere(page)).toBeUndefined();
    expect(markup.includes('<script type="application/json" id="report-data">null</script>')).toBe(true);
    expect(markup.length).toBeLessThan(20_000);
  });

  it.skipIf(!hasBrowser)("shows headline, caveat, chart and every claim of an embedded report", async () => {
    const file = join(directory, "report.html");
    const json = JSON.stringify(sampleReport).replaceAll("<", "\\u003c");
    writeFileSync(file, page.replace('id="report-data">null', () => `id="report-data">${json}`));
    const browser = await openBrowser();
    try {
      const tab = await browser.newPage({ viewport: { width: 1200, height: 900 } });
      const errors: string[] = [];
      tab.on("pageerror", (error) => errors.push(error.message));
      await tab.goto(pathToFileURL(file).href);
      await tab.waitForSelector(".chart svg", { timeout: 10_000 }).catch((error: Error) => {
        throw new Error(`no chart: ${errors.join("; ") || error.message}`);
      });
      expect(await tab.textContent("h1")).toBe(sampleReport.headline);
      expect(await tab.textContent(".caveat")).toBe(sampleReport.caveat);
      for (const { id } of sampleReport.claims) expect(await tab.textContent("body")).toContain(id);
      const before = await tab.innerHTML(".chart");
      await tab.click("text=tokens");
      await tab.waitForFunction((old) => document.querySelector(".chart")!.innerHTML !== old, before);
      if (process.env.ESPALIER_SCREENSHOT) await tab.screenshot({ path: process.env.ESPALIER_SCREENSHOT, fullPage: true });
      expect(errors).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

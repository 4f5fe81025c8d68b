import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Page } from "playwright-core";
import { build, type Plugin } from "vite";

const BROWSER = "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu"];

export const hasBrowser = existsSync(BROWSER);

export interface OpenedPage {
  tab: Page;
  /** @throws when the page threw or logged an error since it was opened */
  close(): Promise<void>;
}

/** Opens a file in a browser of its own and waits for the element that says it is ready. */
export async function openPage(file: string, ready: string, [width, height]: readonly [number, number]): Promise<OpenedPage> {
  const browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
  const tab = await browser.newPage({ viewport: { width, height } });
  const errors: string[] = [];
  const none = () => {
    if (errors.length > 0) throw new Error(`${file}: ${errors.join("; ")}`);
  };
  tab.on("pageerror", (error) => errors.push(error.message));
  tab.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await tab.goto(pathToFileURL(file).href);
  await tab.waitForSelector(ready, { timeout: 30_000 }).catch(async (error: Error) => {
    await browser.close();
    none();
    throw error;
  });
  return {
    tab,
    async close() {
      await browser.close();
      none();
    },
  };
}

/** Windows that every page must fit: nothing sticks out at the side. */
export const windows = [["light", 1360], ["dark", 1360], ["light", 390], ["dark", 390]] as const;

/** Pixels that the page is wider than its window. With `ESPALIER_SCREENSHOTS` a picture of it goes there. */
export async function overflow(tab: Page, name: string, colorScheme: "light" | "dark", width: number): Promise<number> {
  await tab.emulateMedia({ colorScheme });
  await tab.setViewportSize({ width, height: 900 });
  const pictures = process.env.ESPALIER_SCREENSHOTS;
  if (pictures) await tab.screenshot({ path: join(pictures, `${name}-${colorScheme}-${width}.png`), fullPage: true });
  return await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Fails the bundle on any import of a Node module: pages are static and run in any browser. */
const noNode: Plugin = {
  name: "no-node",
  enforce: "pre",
  resolveId(source, importer) {
    if (source.startsWith("node:")) throw new Error(`${importer} imports ${source}`);
  },
};

/** Bundles a page of this package into a new directory, which the caller removes. */
export async function buildPage(configFile: string, mode = "production"): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "espalier-web-"));
  process.env.NODE_ENV = "production"; // the test runner sets "test", which would bundle React's development build
  const root = join(import.meta.dirname, "../..");
  await build({ root, configFile: join(root, configFile), mode, logLevel: "error", plugins: [noNode], build: { outDir: directory, emptyOutDir: true } });
  return directory;
}

/** Markup that names a file elsewhere; undefined when the page is all there is. */
export function loadsFromElsewhere(page: string): string | undefined {
  const markup = page.replace(/<script type="module">[\s\S]*?<\/script>/g, "");
  return markup.match(/<(script|link|img)[^>]+(src|href)="(?!data:)[^"]*/)?.[0];
}

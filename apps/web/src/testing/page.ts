import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { build, type Plugin } from "vite";

const BROWSER = "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu"];

export const hasBrowser = existsSync(BROWSER);

export async function openBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: BROWSER, args: FLAGS });
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
export async function buildPage(configFile: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "espalier-web-"));
  process.env.NODE_ENV = "production"; // the test runner sets "test", which would bundle React's development build
  const root = join(import.meta.dirname, "../..");
  await build({ root, configFile: join(root, configFile), mode: "production", logLevel: "error", plugins: [noNode], build: { outDir: directory, emptyOutDir: true } });
  return directory;
}

/** Markup that names a file elsewhere; undefined when the page is all there is. */
export function loadsFromElsewhere(page: string): string | undefined {
  const markup = page.replace(/<script type="module">[\s\S]*?<\/script>/g, "");
  return markup.match(/<(script|link|img)[^>]+(src|href)="(?!data:)[^"]*/)?.[0];
}

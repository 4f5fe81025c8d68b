import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { FileError } from "@espalier/core";
import { defaultCorpus } from "@espalier/corpus";
import { buildNative } from "@espalier/native-build";
import type { Workspace } from "./types.ts";

async function bundledPage(config: string, name: string, mode = "production"): Promise<string> {
  const webDir = dirname(createRequire(import.meta.url).resolve("@espalier/web/package.json"));
  const vite = join(dirname(createRequire(join(webDir, "package.json")).resolve("vite/package.json")), "bin/vite.js");
  await promisify(execFile)(process.execPath, [vite, "build", "--config", config, "--mode", mode, "--logLevel", "error"], { cwd: webDir, env: { ...process.env, NODE_ENV: "production" } }).catch(
    (cause: Error & { stderr?: string }) => {
      const why = /^.*Error: .*$/m.exec(stripVTControlCharacters(cause.stderr ?? ""))?.[0] ?? cause.message;
      throw new FileError(`bundling ${name} in ${webDir}: ${why}, expected the page. Make the directory writable, or correct the page's source.`, { cause });
    },
  );
  return await readFile(join(webDir, "dist", name), "utf8");
}

/** In the workspace the addon is compiled and the page bundled when they are needed. */
export const workspace: Workspace = {
  async prepareNative(progress, line) {
    const { sentence } = await buildNative({ onProgress: progress, onCompiler: line });
    return sentence;
  },
  async defaultCorpus() {
    const { files, packages } = await defaultCorpus();
    return { name: `sources and documents of ${packages.length} npm packages`, inputs: files };
  },
  page: () => bundledPage("vite.config.ts", "index.html"),
  plannerPage: () => bundledPage("vite.planner.config.ts", "planner.html"),
  tokensPage: () => bundledPage("vite.tokens.config.ts", "tokens.html"),
  samplesPage: () => bundledPage("vite.config.ts", "samples.html", "samples"),
};

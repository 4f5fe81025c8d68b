/**
 * `pnpm native [--force] [--all-platforms] [package ...]`: builds the native addons, for this machine or for every
 * platform that published packages have binaries for. On a terminal one line counts the files; elsewhere
 * a line is printed for every tenth of them.
 */
import { parseArgs } from "node:util";
import { EspalierError, type ProgressEvent } from "@espalier/core";
import { buildNative } from "./build.ts";
import { platforms } from "./platforms.ts";

const usage = "usage: pnpm native [--force] [--all-platforms] [package ...]";

function progressPrinter(): (event: ProgressEvent) => void {
  let tenth = 0;
  return ({ done, total, detail }) => {
    if (total === undefined) return console.log(`native: ${detail}`);
    if (process.stdout.isTTY) {
      process.stdout.write(`\r\x1b[Knative: ${done}/${total} files, ${detail}${done === total ? "\r\x1b[K" : ""}`);
    } else if (Math.floor((10 * done) / total) > tenth && done < total) {
      tenth = Math.floor((10 * done) / total);
      console.log(`native: ${done}/${total} files`);
    }
  };
}

async function main(): Promise<number> {
  let options: { force?: boolean; platforms?: typeof platforms };
  let packages: string[];
  try {
    const { values, positionals } = parseArgs({ options: { force: { type: "boolean" }, "all-platforms": { type: "boolean" } }, allowPositionals: true });
    options = { force: values.force, ...(values["all-platforms"] && { platforms }) };
    packages = positionals;
  } catch (error) {
    console.error(`native: ${(error as Error).message}. ${usage}`);
    return 2;
  }
  try {
    const result = await buildNative({
      ...options,
      packages: packages.length > 0 ? packages : undefined,
      onCompiler: (sentence) => console.log(sentence),
      onProgress: progressPrinter(),
    });
    const what = result.built === 0 ? `${result.total} files are current` : `${result.built} of ${result.total} files built`;
    console.log(`native: ${what}, ${result.seconds.toFixed(1)} s.`);
    return 0;
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error;
    console.error(error.message);
    return 1;
  }
}

process.exitCode = await main();

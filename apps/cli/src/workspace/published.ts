import { readFile } from "node:fs/promises";
import { nativeStatus } from "@espalier/kernels";
import { UsageError } from "../usage.ts";
import type { Workspace } from "./types.ts";

/** The published package compiles nothing and carries the page; text is named by the user. */
export const workspace: Workspace = {
  async prepareNative() {
    const { available, platform } = nativeStatus();
    return available ? `Kernels: prebuilt for ${platform}.` : `Kernels: none for ${platform}; the reference executor is used.`;
  },
  async defaultCorpus() {
    throw new UsageError("corpus: none was named, and the package carries none. Name text files or directories with --corpus.");
  },
  page: () => readFile(new URL("../page.html", import.meta.url), "utf8"),
  plannerPage: () => readFile(new URL("../planner.html", import.meta.url), "utf8"),
  tokensPage: () => readFile(new URL("../tokens.html", import.meta.url), "utf8"),
  samplesPage: () => readFile(new URL("../samples.html", import.meta.url), "utf8"),
};

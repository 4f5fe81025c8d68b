import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { checkGolden } from "@espalier/evals";
import type { Command } from "commander";
import { action, exitCodes } from "../command.ts";
import { tableLines } from "../terminal/table.ts";

const RECORD = "golden/lmeval_v0_regression.json";

/** Text of a file; undefined where there is none. */
const textOf = (path: string): Promise<string | undefined> =>
  readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw fileError("reading", path, error);
  });

interface GoldenOptions {
  sets: string;
  record?: string;
  json?: boolean;
}

/** `espalier eval golden`: what lm-evaluation-harness recorded, rebuilt from the user's files. */
export function addGolden(command: Command): void {
  command
    .command("golden")
    .description("rebuild the requests and scores that lm-evaluation-harness recorded, from the data sets that are there")
    .requiredOption("--sets <dir>", "directory of the data sets of knowledge tests")
    .option("--record <file>", `the record (default: ${RECORD} below --sets)`)
    .action(
      action<GoldenOptions>(async ({ sets, record }, { output, path }) => {
        const directory = path(sets);
        const file = record === undefined ? join(directory, RECORD) : path(record);
        const text = await textOf(file);
        if (text === undefined) throw new ConfigError(`eval golden: no ${file}, expected the harness's record. Name it with --record.`);
        const cached = new Map<string, Promise<string | undefined>>();
        const checks = await checkGolden(text, (name) => {
          if (!cached.has(name)) cached.set(name, textOf(join(directory, name)));
          return cached.get(name)!;
        });
        const rows = checks.map(({ name, status, documents, compared, detail }) => [name, status, documents > 0 ? String(documents) : "", compared > 0 ? String(compared) : "", detail]);
        output.verbatim(tableLines(["entry", "", "documents", "numbers", ""], rows, [2, 3]));
        const count = (status: string) => checks.filter((check) => check.status === status).length;
        output.line(`\n${count("reproduced")} of ${checks.length} entries reproduced, ${count("different")} differ, ${count("no data")} lack data, ${count("no task")} have no task.`);
        output.result("golden", checks);
        if (count("different") > 0) process.exitCode = exitCodes.failed;
      }),
    );
}

import { readFile } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { DataError } from "@espalier/core";
import { atomicWrite, fileError } from "@espalier/core/node";
import { type Difficulty, evaluate, exportItems, itemCount, itemSet, type SetSize, symbolMappingOf, type SymbolSetFile, symbolSetNamed, symbolSetTable } from "@espalier/evals";
import { type Command, Option } from "commander";
import { action } from "../command.ts";
import { itemCountOption } from "../options.ts";
import { openEvaluated } from "./model.ts";
import { type ModelOptions, resumeWith, withModelOptions } from "./modelOptions.ts";
import { iqLines } from "./tables.ts";
import { UsageError } from "../usage.ts";

interface SymbolsOptions extends ModelOptions {
  set?: string;
  manifest?: string;
  on?: string;
  out?: string;
  items: SetSize;
  seed: string;
  difficulty: "tiny" | "small" | "paper" | "large";
  json?: boolean;
}

/**
 * The statement of a file in the `manifest.json` of its data directory or of one above it, which has the file by its path from
 * there (`clue/afqmc/dev.json`, as knowledge tests have it).
 */
async function statedAbove(file: string, directory: string, path: string): Promise<Record<string, SymbolSetFile>> {
  for (let above = directory; ; above = dirname(above)) {
    const stated = (await readManifest(join(above, "manifest.json"), false))[relative(above, file).split(sep).join("/")];
    if (stated !== undefined) return { [path]: stated };
    if (above === dirname(above)) return await readManifest(join(directory, "manifest.json"), false);
  }
}

/** Digests by path, from `manifest.json`; none where the user named no manifest and there is none. */
async function readManifest(path: string, isNamed: boolean): Promise<Record<string, SymbolSetFile>> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && !isNamed) return '{"files": {}}';
    throw fileError("reading", path, error);
  });
  try {
    const { files } = JSON.parse(text) as { files: Record<string, SymbolSetFile> };
    if (typeof files !== "object" || files === null) throw new TypeError("no `files`");
    return files;
  } catch (cause) {
    throw new DataError(`${path}: no manifest, expected {"files": {"path": {"sha256": ...}}}. Correct it.`, { cause });
  }
}

/** `espalier eval symbols`: symbolic mapping over a user's file of SuperGLUE or CLUE. */
export function addSymbols(command: Command): void {
  const symbols = command
    .command("symbols")
    .description("symbolic mapping over a file of SuperGLUE or CLUE: check the file, show an item, evaluate a model")
    .argument("<file>", "in the publisher's form, with its digest in a manifest.json")
    .addOption(new Option("--set <id>", "which set it is (default: by its path)").choices(symbolSetTable.map(({ id }) => id)))
    .option("--manifest <file>", "with the file's digest and licence (default: manifest.json in its data directory or above)")
    .option("--on <model>", "evaluate this model, as `espalier eval` takes it: symbols, and the real labels as control")
    .option("--out <file>", "items to write, as JSON Lines under a canary")
    .option("--items <n>", "a number, quick, paper or large", itemCountOption, "paper")
    .option("--seed <seed>", "of symbols and shots", "1")
    .addOption(
      new Option("--difficulty <level>", "shots and symbols").choices(["tiny", "small", "paper", "large"]).default("paper"),
    );
  withModelOptions(symbols).action(
      action<SymbolsOptions>(async (options, { output, path, signal }, [given]) => {
        const file = path(given!);
        const named = options.set === undefined ? symbolSetTable.find((entry) => file.endsWith(`/${entry.path}`)) : symbolSetNamed(options.set);
        if (named === undefined)
          throw new UsageError(
            `eval symbols: the path of ${basename(file)} names no set, expected one that ends in ${symbolSetTable.map((entry) => entry.path).join(", ")}. Name the set with --set.`,
          );
        const directory = file.endsWith(`/${named.path}`) ? file.slice(0, -named.path.length - 1) : dirname(file);
        const manifest = options.manifest === undefined ? await statedAbove(file, directory, named.path) : await readManifest(path(options.manifest), true);
        const bytes = new Uint8Array(
          await readFile(file).catch((error: unknown) => {
            throw fileError("reading", file, error);
          }),
        );
        const task = await symbolMappingOf(named, bytes, manifest);
        const items = itemSet(task, { difficulty: options.difficulty, seed: options.seed, items: itemCount(task, options.items) });
        output.line(`${task.title}: ${items.length} items, licence ${manifest[named.path]?.licence ?? named.licence}.`);
        output.line(`\n${items[0]!.prompt} ${items[0]!.target}`);
        output.result("symbols", { id: task.id, version: task.version, items: items.length, first: items[0] });
        if (options.out !== undefined) {
          await atomicWrite(path(options.out), exportItems(items));
          output.line(`\nItems: ${path(options.out)}`);
        }
        if (options.on === undefined) return;
        const opened = await openEvaluated(options.on, options, { output, path, signal });
        try {
          for (const labels of ["symbols", "real"]) {
            const difficulty: Difficulty = { level: options.difficulty, labels };
            const evaluation = await evaluate(opened.model, { tasks: [task], items: options.items, difficulty, seed: options.seed, likelihood: opened.likelihood, cache: opened.cache, batchItems: opened.batch, progress: output.progress, signal });
            output.line(`\nLabels: ${labels === "real" ? "the real ones, as control" : labels}`);
            for (const line of iqLines(evaluation)) output.line(line);
            output.result("evaluation", { labels, evaluation });
          }
        } finally {
          await opened.free();
        }
      }, resumeWith),
    );
}

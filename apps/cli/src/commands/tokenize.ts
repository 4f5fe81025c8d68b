import { join } from "node:path";
import { type CorpusManifest, estimateCorpus, exportCorpus, fetchInputs, joinSlices, listCorpusFiles, prepareCorpus } from "@espalier/tokenizer/node";
import type { Command } from "commander";
import { action, type Context } from "../command.ts";
import { isAddress } from "../files.ts";
import { addOptions, corpusOptions, defaultWorkers, type TokenizeOptions } from "../tokenize/options.ts";
import { commandText, thisCommand } from "../terminal/commandText.ts";
import { estimateLines, manifestLines } from "../tokenize/report.ts";
import { UsageError } from "../usage.ts";

export function addTokenize(program: Command): void {
  const command = program
    .command("tokenize")
    .description("text files and directories to a tokeniser and shards of token ids")
    .argument("<paths...>", "JSONL, CSV, Parquet, WARC, WET or text, also .gz and .zst; directories recursively; patterns in quotes; http(s) addresses, also with #sha256=...");
  addOptions(command).action(action<TokenizeOptions>(tokenize, thisCommand));
}

async function tokenize(options: TokenizeOptions, { output, path, signal }: Context, paths: string[]): Promise<void> {
  const named = paths.map((input) => (isAddress(input) ? input : path(input)));
  const { progress } = output;
  if (options.join) {
    const manifest = await joinSlices(named, path(options.out), { progress, signal });
    await finish(manifest);
    return;
  }
  if (options.dryRun && named.some(isAddress)) throw new UsageError("--dry-run: addresses are not downloaded for it, expected files. Leave them out, or download them first (espalier data pull).");
  const corpus = await corpusOptions(options, named, path);
  const inputs = await fetchInputs(named, join(corpus.directory, "downloads"), { progress, signal });
  const workers = options.workers ?? defaultWorkers((await listCorpusFiles(inputs)).reduce((sum, { bytes }) => sum + bytes, 0));
  if (options.dryRun) {
    const estimate = await estimateCorpus({ ...corpus, workers, numFormats: options.format?.length ?? 0 });
    for (const line of estimateLines(estimate, workers)) output.line(line);
    output.result("estimate", estimate);
    return;
  }
  const onReplace = ({ documents, tokenizer }: CorpusManifest): void => {
    output.line(`${path(options.out)} holds another corpus (${(documents.train + documents.validation).toLocaleString("en")} documents, tokenizer ${tokenizer.name}), made of other inputs or with other options: this one takes its place.`);
  };
  await finish(await prepareCorpus({ ...corpus, inputs, workers, progress, signal, onReplace }));

  async function finish(manifest: Awaited<ReturnType<typeof prepareCorpus>>): Promise<void> {
    const directory = path(options.out);
    for (const line of manifestLines(manifest)) output.line(line);
    output.result("manifest", manifest);
    for (const format of options.format ?? []) {
      const { files } = await exportCorpus(directory, format, { progress, signal });
      output.line(`${format}: ${files.map(({ name }) => name).join(", ")} in ${directory}/${format}`);
      output.result("export", { format, files });
    }
    if (manifest.slice) return output.line(`Slice ${manifest.slice.index + 1} of ${manifest.slice.count}. When all are there: espalier tokenize --join <their directories> --out <dir>`);
    output.line("Next:");
    output.line(`  ${commandText(["train", "--data", options.out, "--out", "run"])}`);
  }
}

import { estimateCorpus, exportCorpus, joinSlices, listCorpusFiles, prepareCorpus } from "@espalier/tokenizer/node";
import type { Command } from "commander";
import { action, type Context } from "../command.ts";
import { addOptions, corpusOptions, defaultWorkers, type TokenizeOptions } from "../tokenize/options.ts";
import { estimateLines, manifestLines } from "../tokenize/report.ts";

export function addTokenize(program: Command): void {
  const command = program
    .command("tokenize")
    .description("text files and directories to a tokeniser and shards of token ids")
    .argument("<paths...>", "JSONL, CSV, Parquet, WARC, WET or text, also .gz and .zst; directories recursively; patterns in quotes");
  addOptions(command).action(action<TokenizeOptions>(tokenize, () => `espalier ${process.argv.slice(2).join(" ")}`));
}

async function tokenize(options: TokenizeOptions, { output, path, signal }: Context, paths: string[]): Promise<void> {
  const inputs = paths.map(path);
  const { progress } = output;
  if (options.join) {
    const manifest = await joinSlices(inputs, path(options.out), { progress, signal });
    await finish(manifest);
    return;
  }
  const corpus = await corpusOptions(options, inputs, path);
  const workers = options.workers ?? defaultWorkers((await listCorpusFiles(inputs)).reduce((sum, { bytes }) => sum + bytes, 0));
  if (options.dryRun) {
    const estimate = await estimateCorpus({ ...corpus, workers, numFormats: options.format?.length ?? 0 });
    for (const line of estimateLines(estimate, workers)) output.line(line);
    output.result("estimate", estimate);
    return;
  }
  await finish(await prepareCorpus({ ...corpus, workers, progress, signal }));

  async function finish(manifest: Awaited<ReturnType<typeof prepareCorpus>>): Promise<void> {
    const directory = path(options.out);
    for (const line of manifestLines(manifest)) output.line(line);
    output.result("manifest", manifest);
    for (const format of options.format ?? []) {
      const { files } = await exportCorpus(directory, format, { progress, signal });
      output.line(`${format}: ${files.map(({ name }) => name).join(", ")} in ${directory}/${format}`);
      output.result("export", { format, files });
    }
    output.line(
      manifest.slice
        ? `Slice ${manifest.slice.index + 1} of ${manifest.slice.count}. When all are there: espalier tokenize --join <their directories> --out <dir>`
        : `Train on it: espalier train --plan plan.json --data ${options.out} --out run`,
    );
  }
}

import { filesOf, pullCorpus, publicCorpora, type PublicCorpus, readCorpora } from "@espalier/tokenizer/node";
import type { Command } from "commander";
import { action } from "../command.ts";
import { readText } from "../files.ts";
import { positiveInteger } from "../options.ts";
import { commandText, thisCommand } from "../terminal/commandText.ts";
import { placeText, quantity } from "../terminal/format.ts";
import { tableLines } from "../terminal/table.ts";
import { UsageError } from "../usage.ts";

interface ListOptions {
  manifest?: string;
  json?: boolean;
}

interface PullCommandOptions extends ListOptions {
  out: string;
  files?: number;
}

const MANIFEST = ["--manifest <file>", "a list of your own instead, as JSON"] as const;

export function addData(program: Command): void {
  const data = program.command("data").description("well-known public corpora: what there is, and how to get it");
  data
    .command("list")
    .description("names, sizes and licences")
    .option(...MANIFEST)
    .action(
      action<ListOptions>(async (options, { output, path }) => {
        const corpora = await corporaOf(options, path);
        const rows = corpora.map((corpus) => [corpus.name, String(filesOf(corpus).length), corpus.storedBytes === undefined ? "?" : quantity(corpus.storedBytes, "bytes"), corpus.licence, corpus.description]);
        output.verbatim(tableLines(["name", "files", "size", "licence", ""], rows, [1, 2]));
        output.result("corpora", corpora);
      }),
    );
  data
    .command("pull")
    .description("a corpus to this machine, going on where an earlier call stopped; every file is checked by its digest")
    .argument("<name>", "of `espalier data list`")
    .option("--out <dir>", "directory to write; one of the corpus's name is made in it", "corpora")
    .option("--files <n>", "only the first n files", positiveInteger)
    .option(...MANIFEST)
    .action(
      action<PullCommandOptions>(
        async (options, { output, path, signal }, [name = ""]) => {
          const corpora = await corporaOf(options, path);
          const corpus = corpora.find((known) => known.name === name);
          if (!corpus) throw new UsageError(`data: corpus ${JSON.stringify(name)}, expected one of ${corpora.map((known) => known.name).join(", ")}. Choose one of those.`);
          output.line(`${corpus.name}: ${corpus.description}`);
          output.line(`Licence: ${corpus.licence}. Source and terms: ${corpus.homepage}`);
          const { progress } = output;
          const pulled = await pullCorpus(corpus, path(options.out), { progress, signal, ...(options.files !== undefined && { numFiles: options.files }) });
          const bytes = pulled.files.reduce((sum, file) => sum + file.bytes, 0);
          output.line(`${pulled.files.length} files, ${quantity(bytes, "bytes")}, in ${pulled.directory}`);
          output.line("Next:");
          output.line(`  ${commandText(["tokenize", placeText(path("."), pulled.directory), "--out", "data", "--tokenizer", "cl100k", ...(pulled.textField === "text" ? [] : ["--text-field", pulled.textField])])}`);
          output.result("pulled", pulled);
        },
        thisCommand,
      ),
    );
}

async function corporaOf({ manifest }: ListOptions, path: (value: string) => string): Promise<readonly PublicCorpus[]> {
  if (manifest === undefined) return publicCorpora;
  const file = path(manifest);
  return readCorpora(await readText(file), file);
}

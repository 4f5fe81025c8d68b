import { prepareCorpus } from "@espalier/tokenizer/node";
import type { Command } from "commander";
import { action } from "../command.ts";
import { positiveInteger, share } from "../options.ts";

interface TokenizeOptions {
  out: string;
  vocab: number;
  validation: number;
  json?: boolean;
}

export function addTokenize(program: Command): void {
  program
    .command("tokenize")
    .description("text files and directories to a tokeniser and shards of token ids")
    .argument("<paths...>", "JSONL, text or Markdown, also .gz and .zst; directories recursively")
    .requiredOption("--out <dir>", "where shards, tokeniser and manifest go")
    .option("--vocab <size>", "vocabulary to train", positiveInteger, 4096)
    .option("--validation <share>", "share of documents held back, by hash", share, 0.02)
    .action(
      action<TokenizeOptions>(
        async (options, { output, path, signal }, paths) => {
          const manifest = await prepareCorpus({
            inputs: paths.map(path),
            directory: path(options.out),
            tokenizer: { vocabSize: options.vocab },
            validationShare: options.validation,
            progress: output.progress,
            signal,
          });
          const { documents, train, validation, tokenizer } = manifest;
          output.line(
            `${documents.train + documents.validation} documents (${documents.duplicates} copies left out), ` +
              `${train.numTokens} training and ${validation.numTokens} validation tokens of ${tokenizer.vocabSize}, ` +
              `${(train.textBytes / train.numTokens).toFixed(2)} bytes a token.`,
          );
          if (documents.malformed > 0) {
            output.line(`${documents.malformed} malformed lines left out; the first: ${manifest.malformedLines[0]!.source}: ${manifest.malformedLines[0]!.reason}`);
          }
          output.result("manifest", manifest);
        },
        () => `espalier ${process.argv.slice(2).join(" ")}`,
      ),
    );
}

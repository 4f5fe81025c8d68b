import { exportHuggingFace } from "@espalier/trainer";
import { type Command, Option } from "commander";
import { action } from "../command.ts";
import { openTokenizer } from "../model.ts";

interface ExportOptions {
  data: string;
  out: string;
  family?: string;
  json?: boolean;
}

export function addExport(program: Command): void {
  program
    .command("export")
    .description("a checkpoint as a Hugging Face directory")
    .argument("<checkpoint>", "checkpoint of a run")
    .requiredOption("--data <dir>", "directory written by `espalier tokenize`, for its tokeniser")
    .requiredOption("--out <dir>", "directory to write")
    .addOption(new Option("--family <name>", "default: the first that can express the model").choices(["starcoder2", "gpt_neox", "gpt2", "llama"]))
    .action(
      action<ExportOptions>(async (options, { output, path }, [checkpoint]) => {
        const tokenizer = await openTokenizer(path(options.data));
        const out = path(options.out);
        const { modelType, bytes } = await exportHuggingFace(path(checkpoint!), out, { tokenizer, ...(options.family ? { modelType: options.family } : {}) });
        output.line(`${out}: ${modelType}, ${(bytes / 1e6).toFixed(1)} MB of weights.`);
        output.result("export", { directory: out, modelType, bytes });
      }),
    );
}

import { ConfigError } from "@espalier/core";
import { exportHuggingFace } from "@espalier/trainer";
import { type Command, Option } from "commander";
import { action } from "../command.ts";
import { locateModel, readTokenizer } from "../model.ts";

interface ExportOptions {
  data?: string;
  out: string;
  family?: string;
  json?: boolean;
}

export function addExport(program: Command): void {
  program
    .command("export")
    .description("a checkpoint as a Hugging Face directory")
    .argument("<model>", "run (its newest checkpoint) or one of its checkpoints")
    .option("--data <dir>", "directory written by `espalier tokenize`, for its tokeniser (default: the run's own)")
    .requiredOption("--out <dir>", "directory to write")
    .addOption(new Option("--family <name>", "default: the first that can express the model").choices(["starcoder2", "gpt_neox", "gpt2", "llama"]))
    .action(
      action<ExportOptions>(async (options, { output, path }, [model]) => {
        const found = await locateModel(path(model!), options.data && path(options.data));
        if (found.kind === "huggingface") throw new ConfigError(`${found.directory}: is a Hugging Face directory already, expected a run or a checkpoint. Nothing to do.`);
        const out = path(options.out);
        const tokenizer = await readTokenizer(found.tokenizer);
        const { modelType, bytes } = await exportHuggingFace(found.directory, out, { tokenizer, ...(options.family ? { modelType: options.family } : {}) });
        output.line(`${out}: ${modelType}, ${(bytes / 1e6).toFixed(1)} MB of weights.`);
        output.result("export", { directory: out, modelType, bytes });
      }),
    );
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileError } from "@espalier/core/node";
import { cpuExecutor } from "@espalier/kernels";
import { readTokenizerJson } from "@espalier/tokenizer";
import { loadLanguageModel, type LoadedLanguageModel } from "@espalier/trainer";

/** The model of a checkpoint directory with the tokeniser of a prepared corpus (`DIR/tokenizer.json`). */
export async function openModel(checkpoint: string, dataDirectory: string): Promise<LoadedLanguageModel> {
  const file = join(dataDirectory, "tokenizer.json");
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw fileError("reading", file, error);
  });
  return await loadLanguageModel({ model: checkpoint, tokenizer: readTokenizerJson(text, file), executor: cpuExecutor() });
}

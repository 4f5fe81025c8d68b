import { join } from "node:path";
import { ConfigError } from "@espalier/core";
import { atomicWrite } from "@espalier/core/node";
import { openSafetensors, writeHuggingFace } from "@espalier/checkpoint";
import { rampValue } from "@espalier/growth";
import { type Tokenizer, writeHuggingFaceTokenizer } from "@espalier/tokenizer";
import { CHECKPOINT_FILES, expectTokenizer, openCheckpoint } from "./checkpoint.ts";
import { documentEndOf } from "./textCodec.ts";

export interface ExportOptions {
  /** Written as `tokenizer.json`, with its end-of-text as beginning and end of text. */
  tokenizer: Tokenizer;
  /** `llama`, `gpt_neox`, `gpt2` or `starcoder2`; default: the first that can express the model. */
  modelType?: string;
}

/**
 * A checkpoint of a run as a Hugging Face directory: config.json, generation_config.json, model.safetensors,
 * tokenizer.json, tokenizer_config.json. Tensors are read and written one at a time.
 *
 * @throws {FileError} when the checkpoint is missing or damaged, or the disk refuses
 * @throws {ConfigError} while gates of a growth are still opening, for another tokenizer than the run's, or when no family
 *   can express the model
 */
export async function exportHuggingFace(checkpointDirectory: string, directory: string, { tokenizer, modelType }: ExportOptions): Promise<{ modelType: string; bytes: number }> {
  const checkpoint = await openCheckpoint(checkpointDirectory);
  const { record, digest } = checkpoint;
  const { config, births, step } = record;
  const open = rampValue(births, step);
  if (open < 1) {
    throw new ConfigError(`export: ${checkpointDirectory} is in the middle of a growth, its gates ${Math.round(100 * open)} % open, expected 100 %: a gated model has no form there. Export a later checkpoint.`);
  }
  expectTokenizer(checkpoint, tokenizer);
  const endName = documentEndOf(tokenizer);
  const endOfText = tokenizer.specialId(endName);
  const file = await openSafetensors(join(checkpointDirectory, CHECKPOINT_FILES.model));
  try {
    const written = await writeHuggingFace(
      directory,
      { config, read: (name) => file.readFloat32(name) },
      {
        ...(modelType === undefined ? {} : { modelType }),
        bosTokenId: endOfText,
        eosTokenId: endOfText,
        metadata: { "espalier.checkpoint": digest, "espalier.step": String(step), "espalier.growths": String(births.events.length - 1) },
      },
    );
    const named = { bos_token: endName, eos_token: endName, unk_token: endName, model_max_length: config.seqLen, tokenizer_class: "PreTrainedTokenizerFast", clean_up_tokenization_spaces: false };
    await atomicWrite(join(directory, "tokenizer.json"), writeHuggingFaceTokenizer(tokenizer));
    await atomicWrite(join(directory, "tokenizer_config.json"), `${JSON.stringify(named, undefined, 1)}\n`);
    return { modelType: written.modelType, bytes: written.bytes };
  } finally {
    await file.close();
  }
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FileError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { openSafetensors, type SafetensorsFile } from "../read.ts";

/** The tensors of a model directory, in one file or several. Files are opened when a tensor of theirs is first asked for. */
export interface Shards {
  has(tensor: string): boolean;
  /** Opens the tensor's file if need be; shape from its header. */
  shape(tensor: string): Promise<readonly number[]>;
  readFloat32(tensor: string): Promise<Float32Array>;
  /** Of the first file. */
  metadata(): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

const INDEX = "model.safetensors.index.json";
const SINGLE = "model.safetensors";

/**
 * Opens `model.safetensors`, or the parts that `model.safetensors.index.json` names.
 *
 * @throws {FileError} when neither is there, the index is damaged, or it and a part disagree
 */
export async function openShards(directory: string): Promise<Shards> {
  const indexPath = join(directory, INDEX);
  const text = await readFile(indexPath, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw fileError("reading", indexPath, error);
  });
  const files = new Map<string, SafetensorsFile>();
  const open = async (name: string): Promise<SafetensorsFile> => {
    let file = files.get(name);
    if (!file) files.set(name, (file = await openSafetensors(join(directory, name))));
    return file;
  };
  let fileOf: (tensor: string) => string | undefined;
  let first = SINGLE;
  if (text === undefined) {
    const file = await open(SINGLE);
    fileOf = (tensor) => (file.tensors.has(tensor) ? SINGLE : undefined);
  } else {
    const map = parseIndex(text, indexPath);
    first = [...map.values()][0] ?? SINGLE;
    fileOf = (tensor) => map.get(tensor);
  }
  const find = async (tensor: string): Promise<SafetensorsFile> => {
    const name = fileOf(tensor);
    if (name === undefined) throw new FileError(`${directory}: no tensor \`${tensor}\`. Is config.json that of this model?`);
    const file = await open(name);
    if (!file.tensors.has(tensor)) {
      throw new FileError(`${indexPath}: says that \`${tensor}\` is in ${name}, which does not hold it. Restore the files from one source.`);
    }
    return file;
  };
  return {
    has: (tensor) => fileOf(tensor) !== undefined,
    shape: async (tensor) => (await find(tensor)).tensors.get(tensor)!.shape,
    readFloat32: async (tensor) => (await find(tensor)).readFloat32(tensor),
    metadata: async () => (await open(first)).metadata,
    async close() {
      for (const file of files.values()) await file.close();
    },
  };
}

/** Tensor to file name. Names with a path are refused: an index must not reach outside its directory. */
function parseIndex(text: string, where: string): Map<string, string> {
  let value: { weight_map?: unknown } | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch (cause) {
    throw new FileError(`${where}: not JSON, expected an index of safetensors files. Restore the file.`, { cause });
  }
  const map = value?.weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new FileError(`${where}: no weight_map, expected one from tensor to file. Restore the file.`);
  }
  for (const [tensor, file] of Object.entries(map as Record<string, unknown>)) {
    if (typeof file !== "string" || !/^[^/\\]+\.safetensors$/.test(file)) {
      throw new FileError(`${where}: \`${tensor}\` is in ${JSON.stringify(file)}, expected the name of a safetensors file beside the index. Restore the file.`);
    }
  }
  return new Map(Object.entries(map as Record<string, string>));
}

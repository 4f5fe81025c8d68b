import { createHash } from "node:crypto";
import { FileError } from "@espalier/core";
import { atomicWrite, disk, type FileSystem } from "@espalier/core/node";
import { encodeHeader, layOut, MAX_HEADER_BYTES, type TensorInfo } from "./header.ts";

/** A tensor to be written: its bytes, little-endian and row-major, at once or piece by piece. */
export interface TensorSource extends TensorInfo {
  data: ArrayBufferView | (() => AsyncIterable<Uint8Array> | Iterable<Uint8Array>);
}

export interface WriteOptions {
  /** Text to text. Hugging Face readers want `{ format: "pt" }`. */
  metadata?: Readonly<Record<string, string>>;
  fileSystem?: FileSystem;
}

/** What was written, for the record of a run. */
export interface WrittenFile {
  bytes: number;
  /** sha256 in hex. */
  digest: string;
}

/**
 * Writes a safetensors file atomically: its name never holds a half-written file, and no tensor sits in memory longer
 * than its own writing needs.
 *
 * @throws {FileError} when the disk refuses, a name is used twice, or data has not the length that its shape says
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorSource[],
  { metadata = {}, fileSystem = disk }: WriteOptions = {},
): Promise<WrittenFile> {
  const records = layOut(tensors, path);
  const header = encodeHeader(records, metadata);
  if (header.byteLength - 8 > MAX_HEADER_BYTES) {
    throw new FileError(`${path}: the header has ${header.byteLength} bytes, at most 100 MB. Write several files.`);
  }
  const sources = new Map(tensors.map((tensor) => [tensor.name, tensor.data]));
  const hash = createHash("sha256");
  await atomicWrite(
    path,
    async (write) => {
      const put = async (chunk: Uint8Array): Promise<void> => {
        hash.update(chunk);
        await write(chunk);
      };
      await put(header);
      for (const { name, begin, end } of records) {
        let written = 0;
        for await (const chunk of pieces(sources.get(name)!)) {
          written += chunk.byteLength;
          await put(chunk);
        }
        if (written !== end - begin) {
          throw new FileError(`${path}: tensor \`${name}\` gave ${written} bytes, expected ${end - begin}. Check its shape.`);
        }
      }
    },
    fileSystem,
  );
  return { bytes: header.byteLength + (records.at(-1)?.end ?? 0), digest: hash.digest("hex") };
}

function pieces(data: TensorSource["data"]): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return typeof data === "function" ? data() : [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
}

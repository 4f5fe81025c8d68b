import { open, type FileHandle } from "node:fs/promises";
import { FileError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { bf16ToF32, f16ToF32 } from "./dtype.ts";
import { MAX_HEADER_BYTES, parseHeader, type SafetensorsHeader, type TensorRecord } from "./header.ts";

/** An open safetensors file. Tensors are read when asked for. */
export interface SafetensorsFile extends SafetensorsHeader {
  readonly path: string;
  /** A tensor's bytes in one buffer of its own, aligned for any element type. */
  read(name: string): Promise<Uint8Array>;
  /** A tensor of F32, or of BF16 or F16 widened exactly. */
  readFloat32(name: string): Promise<Float32Array>;
  /** A tensor of I32. */
  readInt32(name: string): Promise<Int32Array>;
  /** A tensor's bytes in pieces, for tensors larger than memory. */
  stream(name: string, chunkBytes?: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens a safetensors file and checks its header and length.
 *
 * @throws {FileError} when it is missing, cut short, too long, or its header does not describe its bytes
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const handle = await open(path, "r").catch((error: unknown) => {
    throw fileError("reading", path, error);
  });
  try {
    const { size } = await handle.stat();
    if (size < 10) throw new FileError(`${path}: ${size} bytes, expected a safetensors header. Restore the file.`);
    const headerBytes = (await readAt(handle, path, 0, 8)).readBigUInt64LE();
    if (headerBytes > BigInt(Math.min(MAX_HEADER_BYTES, size - 8))) {
      const limit = Math.min(MAX_HEADER_BYTES, size - 8);
      throw new FileError(`${path}: header of ${headerBytes} bytes, expected at most ${limit}. Restore the file.`);
    }
    const dataStart = 8 + Number(headerBytes);
    const header = parseHeader(await readAt(handle, path, 8, Number(headerBytes)), size - dataStart, path);
    return fileOf(path, handle, header, dataStart);
  } catch (error) {
    await handle.close();
    throw fileError("reading", path, error);
  }
}

function fileOf(path: string, handle: FileHandle, header: SafetensorsHeader, dataStart: number): SafetensorsFile {
  const find = (name: string): TensorRecord => {
    const record = header.tensors.get(name);
    if (!record) throw new FileError(`${path}: no tensor \`${name}\`. It holds ${[...header.tensors.keys()].join(", ")}.`);
    return record;
  };
  const read = async (name: string): Promise<Uint8Array> => {
    const { begin, end } = find(name);
    return readAt(handle, path, dataStart + begin, end - begin);
  };
  const refuse = (name: string, expected: string): never => {
    throw new FileError(`${path}: tensor \`${name}\` is ${find(name).dtype}, expected ${expected}. Convert it first.`);
  };
  return {
    ...header,
    path,
    read,
    async readFloat32(name) {
      const { dtype } = find(name);
      if (dtype !== "F32" && dtype !== "BF16" && dtype !== "F16") return refuse(name, "F32, BF16 or F16");
      const { buffer, byteLength } = await read(name);
      if (dtype === "F32") return new Float32Array(buffer, 0, byteLength / 4);
      return (dtype === "BF16" ? bf16ToF32 : f16ToF32)(new Uint16Array(buffer, 0, byteLength / 2));
    },
    async readInt32(name) {
      if (find(name).dtype !== "I32") return refuse(name, "I32");
      const { buffer, byteLength } = await read(name);
      return new Int32Array(buffer, 0, byteLength / 4);
    },
    async *stream(name, chunkBytes = 1 << 20) {
      const { begin, end } = find(name);
      for (let at = begin; at < end; at += chunkBytes) {
        yield await readAt(handle, path, dataStart + at, Math.min(chunkBytes, end - at));
      }
    },
    close: () => handle.close(),
  };
}

async function readAt(handle: FileHandle, path: string, position: number, length: number): Promise<Buffer<ArrayBuffer>> {
  const bytes = Buffer.from(new ArrayBuffer(length)); // a buffer of its own: byteOffset 0
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) {
      throw new FileError(`${path}: ends at byte ${position + done}, expected ${position + length}. Restore the file.`);
    }
    done += bytesRead;
  }
  return bytes;
}

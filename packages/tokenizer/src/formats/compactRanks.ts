import { FileError } from "@espalier/core";
import type { Ranks } from "../vocabulary.ts";

/** First bytes of the format: `ESPRANK` and the version. */
const MAGIC = [0x45, 0x53, 0x50, 0x52, 0x41, 0x4e, 0x4b, 1];

/**
 * Ranks as one block of bytes: magic (8), number of tokens (u32, little endian), one length byte a token, then the
 * tokens' bytes in rank order. Made to compress well and to load without parsing text.
 */
export function writeCompactRanks({ bytes, offsets }: Ranks): Uint8Array {
  const size = offsets.length - 1;
  const block = new Uint8Array(12 + size + bytes.length);
  block.set(MAGIC);
  new DataView(block.buffer).setUint32(8, size, true);
  for (let rank = 0; rank < size; rank++) {
    const length = offsets[rank + 1]! - offsets[rank]!;
    if (length > 255) throw new RangeError(`token ${rank} has ${length} bytes, the format holds at most 255`);
    block[12 + rank] = length;
  }
  block.set(bytes, 12 + size);
  return block;
}

/**
 * Reads what `writeCompactRanks` wrote; the tokens' bytes are not copied.
 *
 * @param where names the source in errors
 * @throws {FileError} when the block is of another format or cut short
 */
export function readCompactRanks(block: Uint8Array, where: string): Ranks {
  if (!MAGIC.every((byte, i) => block[i] === byte)) {
    throw new FileError(`${where}: not a rank file, expected it to start with ESPRANK. Install the package again.`);
  }
  const size = new DataView(block.buffer, block.byteOffset, block.byteLength).getUint32(8, true);
  const offsets = new Uint32Array(size + 1);
  for (let rank = 0; rank < size; rank++) offsets[rank + 1] = offsets[rank]! + block[12 + rank]!;
  const expected = 12 + size + offsets[size]!;
  if (block.length !== expected) {
    throw new FileError(`${where}: ${block.length} bytes, expected ${expected}. It is cut short; install the package again.`);
  }
  return { bytes: block.subarray(12 + size), offsets };
}

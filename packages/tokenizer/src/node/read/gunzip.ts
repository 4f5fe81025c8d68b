import { type FileHandle, open } from "node:fs/promises";
import { createNativeGunzip } from "#native";
import type { NativeGunzip } from "../../native/types.ts";
import { MemoryPool } from "../memoryPool.ts";

/** What the addon may leave of its input for the next call (`Gunzip::kLookahead`), and room for a longer header of a member. */
const KEPT_BYTES = 1 << 17;
const INPUT_BYTES = 1 << 18;

/** The compressed data cannot be used from here on; `reason` in the words of zlib. */
export class DamagedGzip extends Error {}

export interface GunzipOptions {
  /** Most bytes of a piece. */
  chunkBytes: number;
  /** Bytes as stored that the piece given next, and all before it, were made of. */
  onConsumed: (bytes: number) => void;
  /** Whether a piece is used no more once the next is asked for. */
  reuse: boolean;
  /** Where memory that is used again comes from and goes to. */
  memory?: MemoryPool;
}

/**
 * The content of a gzip file, all its members, decompressed by the addon while the piece before is used; nothing where there
 * is no addon. The last piece ends where the file ends or its damage begins.
 *
 * @throws {DamagedGzip} behind the last piece that could be decompressed
 * @throws what the file system throws
 */
export function gunzipFile(path: string, options: GunzipOptions): AsyncGenerator<Buffer> | undefined {
  const gunzip = createNativeGunzip();
  return gunzip && pieces(gunzip, path, options);
}

async function* pieces(gunzip: NativeGunzip, path: string, { chunkBytes, onConsumed, reuse, memory = new MemoryPool() }: GunzipOptions): AsyncGenerator<Buffer> {
  const file = await open(path, "r");
  let ahead: Promise<Piece> | undefined;
  const newRoom = () => (reuse ? Buffer.from(memory.take(chunkBytes), 0, chunkBytes) : Buffer.allocUnsafeSlow(chunkBytes));
  const rooms = [newRoom(), newRoom()] as const;
  const input = Buffer.from(memory.take(KEPT_BYTES + INPUT_BYTES), 0, KEPT_BYTES + INPUT_BYTES);
  try {
    const next = pieceReader(gunzip, file, input);
    for (let number = 0; ; number++) {
      const { bytes, consumed, isLast } = await (ahead ?? next(rooms[0]));
      ahead = isLast ? undefined : next(reuse ? rooms[(number + 1) % 2]! : newRoom());
      ahead?.catch(() => {}); // thrown when its turn comes
      onConsumed(consumed);
      if (bytes.length > 0) yield bytes;
      if (isLast) return;
    }
  } finally {
    await ahead?.catch(() => {}); // it reads the file
    for (const { buffer } of reuse ? [...rooms, input] : [input]) memory.give(buffer);
    await file.close();
  }
}

interface Piece {
  bytes: Buffer;
  /** Of the file, up to and with this piece. */
  consumed: number;
  isLast: boolean;
}

/** Gives one piece after the other, each full but the last; damage comes as an error after what was before it. */
function pieceReader(gunzip: NativeGunzip, file: FileHandle, input: Buffer): (room: Buffer) => Promise<Piece> {
  let begin = 0;
  let end = 0;
  let isAll = false;
  let consumed = 0;
  let problem: string | undefined;
  const readMore = async () => {
    input.copyWithin(0, begin, end);
    end -= begin;
    begin = 0;
    const { bytesRead } = await file.read(input, end, Math.min(INPUT_BYTES, input.length - end), null);
    end += bytesRead;
    isAll = bytesRead === 0;
  };
  return async (room) => {
    if (problem !== undefined) throw new DamagedGzip(problem);
    let written = 0;
    let isLast = false;
    let wantsMore = end === begin;
    while (written < room.length && !isLast && problem === undefined) {
      if (wantsMore && !isAll) {
        if (end - begin === input.length) problem = "incorrect header check"; // a header of a member that never ends
        else await readMore();
      }
      const [used, made, isDone, found] = await gunzip.run(input, begin, end, isAll, room.subarray(written));
      begin += used;
      consumed += used;
      written += made;
      isLast = isDone && found === undefined;
      problem ??= found;
      wantsMore = written < room.length;
    }
    if (written === 0 && problem !== undefined) throw new DamagedGzip(problem);
    return { bytes: room.subarray(0, written), consumed, isLast };
  };
}

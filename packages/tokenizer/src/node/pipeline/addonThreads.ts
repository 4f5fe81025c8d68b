import { nativeTreatPool } from "#native";
import type { LinesTreated } from "../../native/types.ts";
import { MemoryPool } from "../memoryPool.ts";
import type { Batch } from "../read/batches.ts";
import { malformedLines } from "../read/batchTexts.ts";
import type { Threads } from "./threads.ts";
import { keepsAll, MALFORMED_SHOWN, type StageOptions, type Treated } from "./treat.ts";
import { WAITING } from "./workerThreads.ts";

/** What is given back once a batch was used. */
interface Held {
  treated: Treated;
  memory: ArrayBuffer[];
}

/**
 * Threads of the addon: JSON lines to texts, digests and ids without any JavaScript on the way. Nothing where there is no
 * addon, for tokenisers over characters, and where rules of cleaning, near copies or repeated spans are asked for.
 */
export function addonThreads({ textField, clean, minHash, spans, tokenizer }: StageOptions, numThreads: number): Threads | undefined {
  if (!tokenizer || !keepsAll(clean) || minHash || spans || (tokenizer.encoder ?? "auto") !== "auto" || tokenizer.huggingFace !== undefined) return undefined;
  const { ranks, pattern = "cl100k", ids, separator } = tokenizer;
  const field = Buffer.from(textField);
  const pool = nativeTreatPool({ ranks, pattern, separator, ...(ids && { ids }) }, field, numThreads);
  if (!pool) return undefined;
  const memory = new MemoryPool();
  let isOpen = true;
  const end = async () => {
    if (isOpen) pool.close();
    isOpen = false;
  };
  let idsPerByte = USUAL_IDS_PER_BYTE;
  const treat = async (batch: Batch & { damaged?: string }): Promise<Held> => {
    let room = new Uint32Array(memory.take(4 * (Math.ceil(idsPerByte * batch.bytes.length) + ROOM_SLACK)));
    let found = await pool.treat(batch.bytes, room);
    while (typeof found === "number") {
      idsPerByte = 1;
      memory.give(room.buffer);
      room = new Uint32Array(memory.take(4 * found)); // texts are longer than their lines where U+FFFD replaces bytes
      found = await pool.treat(batch.bytes, room);
    }
    return { treated: treatedOf(batch, found, room, field), memory: [batch.bytes.buffer, room.buffer] };
  };
  return {
    room: (bytes) => new Uint8Array(memory.take(bytes), 0, bytes),
    async *treatInOrder(batches) {
      const inOrder: Promise<Held>[] = [];
      let mostWaiting = numThreads * WAITING_AT_FIRST;
      const use = async function* () {
        const held = await inOrder.shift()!;
        mostWaiting = numThreads * WAITING;
        yield held.treated;
        for (const one of held.memory) memory.give(one);
      };
      try {
        for await (const batch of batches) {
          const result = treat(batch);
          result.catch(() => {}); // seen when its turn comes
          inOrder.push(result);
          while (inOrder.length >= mostWaiting) yield* use();
        }
        while (inOrder.length > 0) yield* use();
      } finally {
        await end();
      }
    },
    end,
  };
}

/** Batches a thread that are read before the first is used: whoever asked for it may still be hashing inputs. */
const WAITING_AT_FIRST = 2 * WAITING;

/** Vocabularies give 0.2 to 0.4 in most languages. Room for one each would be more memory than all else, and be collected in the midst of encoding. */
const USUAL_IDS_PER_BYTE = 0.5;

/** The encoder writes ids in blocks. */
const ROOM_SLACK = 64;

function treatedOf(batch: Batch & { damaged?: string }, found: LinesTreated, room: Uint32Array, field: Uint8Array): Treated {
  const { numLines, numbers, malformed, textEnds, hashes, positions, ends } = found;
  const numDocuments = ends.length;
  return {
    file: batch.file,
    index: batch.index,
    numLines,
    numDocumentsRead: numDocuments,
    numMalformed: malformed.length / 3,
    malformed: malformedLines(malformed.subarray(0, 3 * MALFORMED_SHOWN), batch.bytes, field).map(({ number, reason }) => ({ number, reason: reason() })),
    ...(batch.damaged !== undefined && { damaged: batch.damaged }),
    dropped: {},
    samples: [],
    masked: {},
    numbers,
    hashes,
    positions,
    textBytes: textEnds.map((end, i) => end - (i === 0 ? 0 : textEnds[i - 1]!)),
    output: room.subarray(0, numDocuments === 0 ? 0 : ends[numDocuments - 1]!),
    ends,
  };
}

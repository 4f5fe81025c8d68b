/** Reads logs off the page's thread, so that scrolling stays smooth while hundreds of megabytes go by. */

import { indexLog, type LogIndex } from "./logIndex.ts";
import { type Places, searchLog } from "./searchLog.ts";

export type Request = { id: number; kind: "index"; file: File } | { id: number; kind: "search"; file: File; places: Places; query: string } | { id: number; kind: "stop" };

export type Answer =
  | { id: number; kind: "progress"; bytes: number; samples: number }
  | { id: number; kind: "soFar"; index: LogIndex }
  | { id: number; kind: "index"; index: LogIndex }
  /** The next samples found, in rising order. */
  | { id: number; kind: "found"; samples: Uint32Array<ArrayBuffer> }
  | { id: number; kind: "searched" }
  | { id: number; kind: "failed"; message: string };

const stopped = new Set<number>();
const answer = (message: Answer) => (globalThis as unknown as Worker).postMessage(message);

async function handle(request: Request): Promise<void> {
  const { id } = request;
  if (request.kind === "stop") {
    stopped.add(id);
    return;
  }
  try {
    if (request.kind === "index") {
      const index = await indexLog(
        request.file,
        (bytes, samples) => answer({ id, kind: "progress", bytes, samples }),
        (soFar) => answer({ id, kind: "soFar", index: soFar }),
      );
      answer({ id, kind: "index", index });
      return;
    }
    await searchLog(
      request.file,
      request.places,
      request.query,
      (samples) => stopped.has(id) || answer({ id, kind: "found", samples }),
      (bytes) => {
        if (!stopped.has(id)) answer({ id, kind: "progress", bytes, samples: 0 });
        return !stopped.has(id);
      },
    );
    if (!stopped.has(id)) answer({ id, kind: "searched" });
    stopped.delete(id);
  } catch (error) {
    answer({ id, kind: "failed", message: error instanceof Error ? error.message : String(error) });
  }
}

globalThis.addEventListener("message", (event: MessageEvent<Request>) => void handle(event.data));

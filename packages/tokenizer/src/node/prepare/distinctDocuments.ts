import { type Document, readDocuments } from "../read/documents.ts";
import { documentHash, splitPosition } from "../split.ts";
import { throwIfAborted, type Work } from "./work.ts";

export interface DistinctOptions {
  /** Before copies are left out. */
  onRead?: () => void;
  onMalformed?: (source: string, reason: string) => void;
}

/** Documents without the exact copies of earlier ones, each with its place in the split. Reports bytes under `task`. */
export async function* distinctDocuments(
  { files, progress, signal }: Work,
  task: string,
  { onRead, onMalformed }: DistinctOptions = {},
): AsyncGenerator<Document & { position: number }> {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const seen = new Set<string>();
  let done = 0;
  const onBytes = (bytes: number) => progress({ task, done: (done += bytes), total, unit: "bytes" });
  for await (const document of readDocuments(files, { onBytes, ...(onMalformed && { onMalformed }) })) {
    throwIfAborted(signal);
    onRead?.();
    const hash = documentHash(document.bytes);
    if (seen.has(hash)) continue;
    seen.add(hash);
    yield { ...document, position: splitPosition(document.splitKey ?? hash) };
  }
}

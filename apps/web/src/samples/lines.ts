const CHUNK = 4 << 20;

/** Calls `onLine` with the place and bytes of each line that is not empty. Holds one chunk and the longest line at most. */
export async function forEachLine(
  file: Blob,
  onLine: (offset: number, bytes: Uint8Array) => void,
  onProgress: (bytes: number) => void | boolean = () => {},
  chunkBytes = CHUNK,
): Promise<void> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let lineStart = 0;
  const end = (tail: Uint8Array): void => {
    const line = pendingBytes === 0 ? tail : join(pending, pendingBytes, tail);
    pending = [];
    const offset = lineStart;
    lineStart += pendingBytes + tail.length + 1;
    pendingBytes = 0;
    if (line.length > 0) onLine(offset, line);
  };
  for (let at = 0; at < file.size; at += chunkBytes) {
    const chunk = new Uint8Array(await file.slice(at, Math.min(file.size, at + chunkBytes)).arrayBuffer());
    let from = 0;
    for (let newline = chunk.indexOf(10); newline >= 0; newline = chunk.indexOf(10, from)) {
      end(chunk.subarray(from, newline));
      from = newline + 1;
    }
    if (from < chunk.length) {
      pending.push(chunk.subarray(from));
      pendingBytes += chunk.length - from;
    }
    if (onProgress(Math.min(file.size, at + chunkBytes)) === false) return;
  }
  if (pendingBytes > 0) end(new Uint8Array(0));
}

function join(parts: readonly Uint8Array[], bytes: number, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes + tail.length);
  let at = 0;
  for (const part of [...parts, tail]) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

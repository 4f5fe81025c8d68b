import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CancelledError, EspalierError, FileError, type Progress, silent } from "@espalier/core";
import { atomicWrite, disk, fileError, type FileSystem, sha256File } from "@espalier/core/node";
import { AppendFile, partialPath } from "../appendFile.ts";
import { type Answer, BusyError, ConnectionError, requestFrom } from "./request.ts";

export interface DownloadOptions {
  /** In hex. A file with another digest is removed and refused. Absent: what the server declares, if it does. */
  sha256?: string;
  /** Size that the file must have. */
  bytes?: number;
  /** Task `download <name>`, unit `bytes`. */
  progress?: Progress;
  signal?: AbortSignal;
  fileSystem?: FileSystem;
  /** Attempts in a row that bring nothing new, until it gives up. Default 6. */
  maxAttempts?: number;
  /** Without a byte, after which a connection counts as lost. Default 30 s. */
  timeoutMs?: number;
  /** Before the second attempt; doubles with each. Default 1 s, at most a minute. */
  retryMs?: number;
}

/** A file that was downloaded; kept beside it in `<path>.download.json`. */
export interface Downloaded {
  url: string;
  bytes: number;
  sha256: string;
}

/** What is known of a part; all bytes that it names are durable. */
interface Part {
  url: string;
  /** Strong ETag or date of the file that the part is of: no other part may be put behind it. */
  validator: string;
  total?: number;
  partBytes: number;
}

/** Bytes, or milliseconds where they come slowly, between two moments at which what came is made durable. */
const DURABLE_BYTES = 64 << 20;
const DURABLE_MS = 5000;
const REPORT_BYTES = 1 << 20;
const MAX_RETRY_MS = 60_000;
/** Of what a server asks for by `Retry-After`. */
const MAX_ASKED_MS = 300_000;

/**
 * Downloads a file, resuming after lost connections and after a kill. A part is only ever completed by bytes of the same
 * version of the file: the server is asked by ETag or date (`If-Range`), its `Content-Range` must begin where the part
 * ends, and when it cannot say either, the download begins anew. A file that is there and was downloaded from this
 * address stays. A busy server that says when to come back (`Retry-After`) is asked again then.
 *
 * @throws {FileError} when the address does not give the file: refused, gone, of another digest or size, connections
 *   that fail again and again, an end that nothing tells from a lost connection; or the disk is full
 * @throws {CancelledError} when `signal` aborts; the next call goes on
 * @see RFC 9110, sections 13.1.5 (If-Range) and 14 (range requests)
 */
export async function downloadFile(url: string, path: string, options: DownloadOptions = {}): Promise<Downloaded> {
  const finished = await finishedDownload(url, path, options);
  if (finished) return finished;
  try {
    return await download(url, path, options);
  } catch (error) {
    if (!(await readPart(url, path))) await (options.fileSystem ?? disk).remove(partialPath(path)).catch(() => {}); // no later call goes on from it
    throw error;
  }
}

async function download(url: string, path: string, options: DownloadOptions): Promise<Downloaded> {
  const { fileSystem = disk, maxAttempts = 6, retryMs = 1000, signal } = options;
  await fileSystem.makeDirectory(dirname(path)).catch((error: unknown) => {
    throw fileError("making", dirname(path), error);
  });
  let attempts = 0;
  let reached = 0;
  let restarts = 0;
  for (;;) {
    const part = await readPart(url, path);
    try {
      const downloaded = await attempt(url, path, part, { ...options, fileSystem });
      if (downloaded) return downloaded;
      if (++restarts > 2) throw new FileError(`downloading ${url}: the file changed again and again while it was downloaded, expected one that stays. Try later.`);
      continue;
    } catch (error) {
      if (signal?.aborted) throw new CancelledError(`downloading ${url}: stopped. Start it again to go on.`);
      if (!(error instanceof ConnectionError)) throw error instanceof EspalierError ? error : fileError("downloading", url, error);
      const now = (await readPart(url, path))?.partBytes ?? 0;
      attempts = now > reached ? 1 : attempts + 1;
      reached = Math.max(reached, now);
      if (attempts >= maxAttempts) throw new FileError(`downloading ${url}: ${error.message}, ${attempts} times in a row, expected the file. Check the connection; the next call ${now > 0 ? `goes on at byte ${now}` : "begins anew"}.`, { cause: error });
      const asked = error instanceof BusyError ? Math.min(MAX_ASKED_MS, error.retryAfterMs) : 0;
      await sleep(Math.max(asked, Math.min(MAX_RETRY_MS, retryMs * 2 ** (attempts - 1))), undefined, signal && { signal }).catch(() => {});
    }
  }
}

/** One connection. Nothing: the part belongs to another version of the file and was given up. */
async function attempt(url: string, path: string, part: Part | undefined, options: DownloadOptions & { fileSystem: FileSystem }): Promise<Downloaded | undefined> {
  const { fileSystem, timeoutMs = 30_000, signal, progress = silent } = options;
  if (part && part.partBytes === part.total) {
    const file = await AppendFile.open(path, part.partBytes, fileSystem); // killed before it had its name
    if (file) return await checked({ url, bytes: part.partBytes, sha256: await file.finish().finally(() => file.close()) }, path, options.sha256, fileSystem);
  }
  const answer = await requestFrom(url, { from: part?.partBytes ?? 0, timeoutMs, ...(part && { validator: part.validator }), ...(signal && { signal }) });
  let isComplete = false;
  try {
    if (answer.status === 416 && part) {
      await give(part, path, fileSystem);
      return undefined;
    }
    const range = rangeOf(answer, url);
    const validator = validatorOf(answer);
    if (part && range.start > 0 && (range.start !== part.partBytes || (validator !== "" && validator !== part.validator) || (part.total !== undefined && range.total !== undefined && range.total !== part.total))) {
      await give(part, path, fileSystem); // the server sent another part than asked for, or of another file
      return undefined;
    }
    if (!part && range.start > 0) throw new FileError(`downloading ${url}: the server sent a part that nobody asked for, expected the whole file. Check the address.`);
    const total = range.total ?? options.bytes;
    const expectedSha256 = options.sha256 ?? answer.declaredSha256;
    const saysItsEnd = answer.headers["content-length"] !== undefined || answer.headers["transfer-encoding"] !== undefined;
    if (total === undefined && expectedSha256 === undefined && !saysItsEnd) {
      throw new FileError(`downloading ${url}: the server says neither how long the file is nor its digest, expected one of them: a lost connection would look like the end. Give its sha256 (behind the address as #sha256=..., or in the list).`);
    }
    if (options.bytes !== undefined && total !== options.bytes) throw new FileError(`downloading ${url}: ${total} bytes, expected ${options.bytes}. The file is another one than the list says; correct the list.`);
    if (part && range.start === 0) await give(part, path, fileSystem);
    const file = await AppendFile.open(path, range.start, fileSystem);
    if (!file) {
      await give(part!, path, fileSystem); // shorter than was noted
      return undefined;
    }
    const note = { url, validator, ...(total !== undefined && { total }) };
    try {
      let durable = range.start;
      let durableAt = performance.now();
      let reported = range.start;
      const keep = async () => {
        await file.sync();
        durable = file.bytes;
        durableAt = performance.now();
        if (note.validator) await atomicWrite(notePath(path), `${JSON.stringify({ ...note, partBytes: durable })}\n`, fileSystem);
      };
      const report = () => progress({ task: `download ${basename(path)}`, done: file.bytes, ...(total !== undefined && { total }), unit: "bytes" });
      report();
      try {
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          await file.write(chunk);
          if (file.bytes - reported >= REPORT_BYTES) {
            report();
            reported = file.bytes;
          }
          if (file.bytes - durable >= DURABLE_BYTES || performance.now() - durableAt >= DURABLE_MS) await keep();
        }
      } catch (error) {
        if (error instanceof EspalierError) throw error;
        await keep();
        throw new ConnectionError(signal?.aborted ? "stopped" : `the connection broke at byte ${file.bytes}`, { cause: error });
      }
      if (total !== undefined && file.bytes < total) {
        await keep();
        throw new ConnectionError(`the connection ended at byte ${file.bytes} of ${total}`);
      }
      if (total !== undefined && file.bytes > total) throw new FileError(`downloading ${url}: ${file.bytes} bytes, expected ${total}. The server contradicts itself; try another source.`);
      isComplete = true;
      report();
      const sha256 = await file.finish();
      return await checked({ url, bytes: file.bytes, sha256 }, path, expectedSha256, fileSystem);
    } finally {
      await file.close();
    }
  } finally {
    if (!isComplete) answer.body.destroy();
  }
}

async function checked(downloaded: Downloaded, path: string, expected: string | undefined, fileSystem: FileSystem): Promise<Downloaded> {
  if (expected !== undefined && downloaded.sha256 !== expected) {
    await fileSystem.remove(notePath(path)).catch(() => {});
    await fileSystem.remove(path).catch(() => {});
    throw new FileError(`downloading ${downloaded.url}: sha256 is ${downloaded.sha256}, expected ${expected}. It was removed; download it again, or correct the digest.`);
  }
  await atomicWrite(notePath(path), `${JSON.stringify(downloaded)}\n`, fileSystem);
  return downloaded;
}

/** Where the answer's bytes stand in the file, and how long that is. Throws for what is not the file. */
function rangeOf({ status, headers }: Answer, url: string): { start: number; total?: number } {
  if (status === 429 || status === 408 || status >= 500) throw new BusyError(status, headers["retry-after"]);
  if (headers["content-encoding"] !== undefined && headers["content-encoding"] !== "identity" && !url.replace(/[?#].*/, "").endsWith(".gz")) {
    throw new FileError(`downloading ${url}: encoded as ${headers["content-encoding"]}, expected the file as it is. Use another source.`);
  }
  if (status === 206) {
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers["content-range"] ?? "") ?? [];
    if (start === undefined) throw new FileError(`downloading ${url}: Content-Range is ${JSON.stringify(headers["content-range"])}, expected "bytes start-end/total". The server cannot resume; try another source.`);
    return { start: Number(start), ...(total !== "*" && { total: Number(total) }) };
  }
  if (status !== 200) throw new FileError(`downloading ${url}: the server answers ${status}, expected the file. ${status === 401 || status === 403 ? "It wants an account: download it by hand." : "Check the address."}`);
  return { start: 0, ...(headers["content-length"] !== undefined && { total: Number(headers["content-length"]) }) };
}

/** A strong ETag, else the date; empty: parts cannot be told apart, so that nothing is resumed. */
function validatorOf({ headers }: Answer): string {
  const { etag } = headers;
  return etag !== undefined && !etag.startsWith("W/") ? etag : (headers["last-modified"] ?? "");
}

const notePath = (path: string): string => `${path}.download.json`;

async function readNote<T>(path: string): Promise<Partial<T>> {
  try {
    return JSON.parse(await readFile(notePath(path), "utf8")) as Partial<T>;
  } catch {
    return {}; // without a note that can be read it begins anew
  }
}

async function readPart(url: string, path: string): Promise<Part | undefined> {
  const note = await readNote<Part>(path);
  return note.url === url && note.partBytes !== undefined && note.partBytes > 0 && note.validator ? (note as Part) : undefined;
}

async function give(part: Part, path: string, fileSystem: FileSystem): Promise<void> {
  await fileSystem.remove(notePath(path)).catch((error: unknown) => {
    throw fileError("removing the note of a part of", part.url, error);
  });
}

/** What an earlier call downloaded, checked against the digest that it noted then. */
async function finishedDownload(url: string, path: string, { sha256, bytes }: DownloadOptions): Promise<Downloaded | undefined> {
  const note = await readNote<Downloaded>(path);
  if (note.url !== url || note.sha256 === undefined || note.bytes === undefined) return undefined;
  if ((sha256 !== undefined && note.sha256 !== sha256) || (bytes !== undefined && note.bytes !== bytes)) return undefined;
  const found = await stat(path).catch(() => undefined);
  return found?.size === note.bytes && (await sha256File(path)) === note.sha256 ? (note as Downloaded) : undefined;
}

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { FileError } from "@espalier/core";

const MAX_REDIRECTS = 10;

/** An answer whose body has not been read yet. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** sha256 of the whole file in hex, where a header of the answer or of a redirect on the way declares it. */
  declaredSha256?: string;
  body: IncomingMessage;
}

/** A connection that failed or fell silent; trying again may help. */
export class ConnectionError extends Error {}

/** A server that cannot answer now. */
export class BusyError extends ConnectionError {
  /** How long it asks to be left alone (RFC 9110, section 10.2.3); 0: it does not say. */
  readonly retryAfterMs: number;

  constructor(status: number, retryAfter: string | undefined) {
    super(`the server answers ${status}`);
    const ms = /^\d+$/.test(retryAfter ?? "") ? Number(retryAfter) * 1000 : Date.parse(retryAfter ?? "") - Date.now();
    this.retryAfterMs = ms > 0 ? ms : 0;
  }
}

/**
 * Asks for a file from a byte on. Bytes come as stored: no decompression on the way, so that offsets mean the same in
 * every answer. Redirects are followed, from https to https only.
 *
 * @param validator of the part that is there: with it a server sends the rest, or all of a file that changed meanwhile
 * @param timeoutMs without a byte, after which the connection counts as lost
 * @throws {FileError} for an address that is none, or redirects that lead nowhere
 * @throws {ConnectionError} when the connection fails before the answer
 */
export async function requestFrom(url: string, { from, validator, timeoutMs, signal }: { from: number; validator?: string; timeoutMs: number; signal?: AbortSignal }): Promise<Answer> {
  const headers = { accept: "*/*", "accept-encoding": "identity", "user-agent": "espalier", ...(from > 0 && { range: `bytes=${from}-`, "if-range": validator! }) };
  let declaredSha256: string | undefined;
  let next = parsed(url, url);
  for (let redirects = 0; ; redirects++) {
    const body = await send(next, headers, timeoutMs, signal);
    const status = body.statusCode!;
    declaredSha256 = sha256Of(body.headers) ?? declaredSha256;
    const { location } = body.headers;
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return { status, headers: body.headers, body, ...(declaredSha256 !== undefined && { declaredSha256 }) };
    body.resume();
    if (redirects === MAX_REDIRECTS) throw new FileError(`downloading ${url}: more than ${MAX_REDIRECTS} redirects, expected a file. Check the address.`);
    const target = parsed(location, url, next.href);
    if (next.protocol === "https:" && target.protocol !== "https:") throw new FileError(`downloading ${url}: redirected to ${target.origin}, expected https throughout. Check the address.`);
    next = target;
  }
}

function parsed(address: string, original: string, base?: string): URL {
  const url = URL.parse(address, base);
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw new FileError(`downloading ${original}: ${address === original ? "not an address" : `redirected to ${address}`}, expected http or https. Check it.`);
}

async function send(url: URL, headers: Record<string, string>, timeoutMs: number, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  // Not at start: an encoder that never downloads should not wait for the protocols.
  const { request: ask } = url.protocol === "https:" ? await import("node:https") : await import("node:http");
  return await new Promise((resolve, reject) => {
    const request = ask(url, { headers, ...(signal && { signal }) }, resolve);
    request.setTimeout(timeoutMs, () => request.destroy(new ConnectionError(`nothing came for ${timeoutMs / 1000} s`)));
    request.on("error", (error) => reject(signal?.aborted ? error : new ConnectionError(error.message, { cause: error })));
    request.end();
  });
}

/** `Repr-Digest` (RFC 9530), or the linked ETag by which large files of Git LFS are served. */
function sha256Of(headers: IncomingHttpHeaders): string | undefined {
  const [, base64] = /sha-256=:([A-Za-z0-9+/]{43}=):/.exec(String(headers["repr-digest"] ?? "")) ?? [];
  if (base64 !== undefined) return Buffer.from(base64, "base64").toString("hex");
  return /^(?:W\/)?"?([0-9a-f]{64})"?$/.exec(String(headers["x-linked-etag"] ?? ""))?.[1];
}

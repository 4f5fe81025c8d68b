import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { CancelledError, FileError, type ProgressEvent, random } from "@espalier/core";
import { disk, intercept } from "@espalier/core/node";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory } from "../../testing/temporary.ts";
import { downloadFile, type DownloadOptions } from "./download.ts";

const draw = random(31, "download");
const content = (seed: number, length = 300_000) => Buffer.from(Uint8Array.from({ length }, (_, i) => draw.derive(seed).integer(i, 256)));
const hex = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const [first, second] = [content(1), content(2)];

type Handler = (request: IncomingMessage, response: ServerResponse, number: number) => void;

/** A server on loopback; `requests` are the ranges that were asked for. */
async function serve(handler: Handler): Promise<{ url: string; requests: (string | undefined)[] }> {
  const requests: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    requests.push(request.headers.range);
    handler(request, response, requests.length);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/data.jsonl.gz`, requests };
}

/** Sends a file as a sound server does; `cutAfter` bytes of this answer the connection breaks. */
function send(request: IncomingMessage, response: ServerResponse, bytes: Buffer, { etag = `"${hex(bytes).slice(0, 8)}"`, cutAfter = Infinity, headers = {} as Record<string, string> } = {}): void {
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
  const start = from !== undefined && request.headers["if-range"] === etag ? Number(from) : 0;
  if (start >= bytes.length) return void response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
  const rest = bytes.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, {
    etag, "content-length": rest.length, ...(start > 0 && { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }), ...headers,
  });
  if (cutAfter >= rest.length) return void response.end(rest);
  response.write(rest.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 200)); // time to be read on a busy machine: Node's client drops what it has not handed out when a connection breaks
}

const quick: DownloadOptions = { retryMs: 1, timeoutMs: 500 };
const target = () => join(temporaryDirectory(), "data.jsonl.gz");

describe("downloadFile", () => {
  it("downloads once, and not again while the file is whole", async () => {
    const { url, requests } = await serve((request, response) => send(request, response, first));
    const path = target();
    const events: ProgressEvent[] = [];
    const downloaded = await downloadFile(url, path, { ...quick, progress: (event) => events.push(event) });
    expect(downloaded).toEqual({ url, bytes: first.length, sha256: hex(first) });
    expect(readFileSync(path).equals(first)).toBe(true);
    expect(events.at(-1)).toEqual({ task: "download data.jsonl.gz", done: first.length, total: first.length, unit: "bytes" });
    expect(await downloadFile(url, path, quick)).toEqual(downloaded);
    expect(requests).toHaveLength(1);
    writeFileSync(path, Buffer.alloc(first.length));
    await downloadFile(url, path, quick);
    expect(readFileSync(path).equals(first)).toBe(true);
  });

  it("goes on where each broken connection ended", async () => {
    const { url, requests } = await serve((request, response) => send(request, response, first, { cutAfter: 40_000 }));
    const path = target();
    expect((await downloadFile(url, path, { ...quick, maxAttempts: 3 })).sha256).toBe(hex(first));
    expect(requests).toEqual([undefined, ...[1, 2, 3, 4, 5, 6, 7].map((i) => `bytes=${i * 40_000}-`)]);
    expect(readdirSync(join(path, "..")).toSorted()).toEqual(["data.jsonl.gz", "data.jsonl.gz.download.json"]);
  });

  it("goes on in a later call, and begins anew when the file changed meanwhile", async () => {
    for (const [later, begins] of [[first, 100_000], [second, 0]] as const) {
      const { url, requests } = await serve((request, response, number) => (number === 1 ? send(request, response, first, { cutAfter: 100_000 }) : number === 2 ? response.destroy() : send(request, response, later)));
      const path = target();
      await expect(downloadFile(url, path, { ...quick, maxAttempts: 2 })).rejects.toThrow(/2 times in a row.*the next call goes on at byte 100000/s);
      expect(existsSync(path)).toBe(false);
      expect((await downloadFile(url, path, quick)).sha256).toBe(hex(later));
      expect(requests.at(-1)).toBe("bytes=100000-");
      expect(begins === 0 ? readFileSync(path).equals(second) : readFileSync(path).equals(first)).toBe(true);
    }
  });

  it("never joins parts of two versions, whatever the server does with ranges", async () => {
    const misbehaved: Record<string, Handler> = {
      "ignores Range": (_, response) => response.writeHead(200, { "content-length": second.length }).end(second),
      "ignores If-Range": (request, response) => {
        const start = Number(/\d+/.exec(request.headers.range ?? "0")![0]);
        response.writeHead(start > 0 ? 206 : 200, { etag: '"new"', ...(start > 0 && { "content-range": `bytes ${start}-${second.length - 1}/${second.length}` }) }).end(second.subarray(start));
      },
      "sends another part": (request, response) =>
        request.headers.range === undefined ? send(request, response, second) : response.writeHead(206, { "content-range": `bytes 5-${second.length - 1}/${second.length}` }).end(second.subarray(5)),
      "names another length": (request, response) =>
        request.headers.range === undefined ? send(request, response, second) : response.writeHead(206, { "content-range": `bytes 100000-${second.length + 9}/${second.length + 10}` }).end(second.subarray(100_000)),
      "cannot satisfy the range": (request, response) => (request.headers.range === undefined ? send(request, response, second) : response.writeHead(416).end()),
    };
    for (const [name, handler] of Object.entries(misbehaved)) {
      const { url } = await serve((request, response, number) => (number === 1 ? send(request, response, first, { cutAfter: 100_000 }) : handler(request, response, number)));
      expect([name, (await downloadFile(url, target(), quick)).sha256]).toEqual([name, hex(second)]);
    }
  });

  it("does not resume what has no ETag or date", async () => {
    const { url, requests } = await serve((_, response, number) => {
      response.writeHead(200, { "content-length": first.length });
      if (number === 3) response.end(first);
      else response.write(first.subarray(0, 50_000), () => response.destroy());
    });
    expect((await downloadFile(url, target(), quick)).sha256).toBe(hex(first));
    expect(requests).toEqual([undefined, undefined, undefined]);
  });

  it("notices a length that is a lie", async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { "content-length": first.length + 10, etag: '"x"' });
      response.write(first, () => response.destroy());
    });
    await expect(downloadFile(url, target(), { ...quick, maxAttempts: 2 })).rejects.toThrow(/the connection broke at byte 300000/);
    const short = await serve((_, response) => void response.writeHead(200, { "content-length": 1000 }).end(first.subarray(0, 1000)));
    await expect(downloadFile(short.url, target(), { ...quick, bytes: first.length })).rejects.toThrow(/1000 bytes, expected 300000/);
    const path = target();
    await expect(downloadFile(short.url, path, { ...quick, sha256: hex(first) })).rejects.toThrow(/sha256 is .*, expected .*\. It was removed/);
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  it("refuses an end that looks like a lost connection, unless a digest tells them apart", async () => {
    const { url } = await serve((request) => void request.socket.end(Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"), first])));
    await expect(downloadFile(url, target(), quick)).rejects.toThrow(/neither how long the file is nor its digest, expected one of them/);
    expect((await downloadFile(url, target(), { ...quick, sha256: hex(first) })).bytes).toBe(first.length);
    await expect(downloadFile(url, target(), { ...quick, maxAttempts: 2, bytes: first.length + 1 })).rejects.toThrow(/ended at byte 300000 of 300001, 2 times in a row.*the next call begins anew/s);
  });

  it("comes back when a busy server asks for it, not before", async () => {
    const times: number[] = [];
    const { url } = await serve((request, response) => {
      if (times.push(performance.now()) === 1) response.writeHead(429, { "retry-after": "1" }).end();
      else send(request, response, first);
    });
    expect((await downloadFile(url, target(), quick)).sha256).toBe(hex(first));
    expect(times[1]! - times[0]!).toBeGreaterThan(950);
  });

  it("checks the digest that a server declares, also on a redirect", async () => {
    const { url } = await serve((request, response) => {
      if (request.url === "/data.jsonl.gz") response.writeHead(302, { location: "/real", "x-linked-etag": `"${hex(second)}"` }).end();
      else send(request, response, first);
    });
    await expect(downloadFile(url, target(), quick)).rejects.toThrow(new RegExp(`expected ${hex(second)}`));
    const declared = await serve((request, response) => send(request, response, first, { headers: { "repr-digest": `sha-256=:${createHash("sha256").update(first).digest("base64")}:` } }));
    expect((await downloadFile(declared.url, target(), quick)).sha256).toBe(hex(first));
  });

  it("waits out a silent or busy server, and refuses at once what will not change", async () => {
    const { url, requests } = await serve((request, response, number) => {
      if (number === 1) response.writeHead(503).end();
      else if (number > 2) send(request, response, first); // the second answer never comes
    });
    expect((await downloadFile(url, target(), { ...quick, timeoutMs: 1000 })).sha256).toBe(hex(first));
    expect(requests).toHaveLength(3);
    const gone = await serve((_, response) => void response.writeHead(404).end());
    await expect(downloadFile(gone.url, target(), quick)).rejects.toThrow(new FileError(`downloading ${gone.url}: the server answers 404, expected the file. Check the address.`));
    expect(gone.requests).toHaveLength(1);
    const loop = await serve((_, response) => void response.writeHead(302, { location: "/data.jsonl.gz" }).end());
    await expect(downloadFile(loop.url, target(), quick)).rejects.toThrow(/more than 10 redirects/);
    await expect(downloadFile("ftp://127.0.0.1/x", target(), quick)).rejects.toThrow(/expected http or https/);
  });

  it("stops when asked and on a full disk, and goes on afterwards", async () => {
    const { url, requests } = await serve((request, response, number) => {
      if (number > 1) return send(request, response, first);
      response.writeHead(200, { etag: `"${hex(first).slice(0, 8)}"`, "content-length": first.length });
      response.write(first.subarray(0, 70_000));
    });
    const path = target();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 150);
    await expect(downloadFile(url, path, { ...quick, timeoutMs: 5000, signal: controller.signal })).rejects.toThrow(CancelledError);
    const full = intercept(disk, (operation) => {
      if (operation === "write") throw Object.assign(new Error("no space"), { code: "ENOSPC", syscall: "write" });
    });
    await expect(downloadFile(url, path, { ...quick, fileSystem: full })).rejects.toThrow(/the disk is full/);
    const other = target();
    await expect(downloadFile(`${url}?another`, other, { ...quick, fileSystem: full })).rejects.toThrow(/the disk is full/);
    expect(readdirSync(join(other, ".."))).toEqual([]); // nothing was made durable: no call goes on from it
    expect((await downloadFile(url, path, quick)).sha256).toBe(hex(first));
    expect(requests.at(-1)).toBe("bytes=70000-");
  });

  it("gives the file for any sequence of failures", async () => {
    for (let round = 0; round < 12; round++) {
      const steps = draw.derive("failures", round).sequence();
      let version = first;
      const { url } = await serve((request, response, number) => {
        if (number > 8) return send(request, response, version);
        const kind = steps.integer(6);
        if (kind === 0) version = version === first ? second : first;
        if (kind === 1) return void response.destroy();
        if (kind === 2) return void response.writeHead(500 + steps.integer(4)).end();
        send(request, response, version, { cutAfter: steps.integer(200_000) });
      });
      const path = target();
      const { sha256 } = await downloadFile(url, path, { ...quick, maxAttempts: 20 });
      expect([hex(first), hex(second)]).toContain(sha256);
      expect(hex(readFileSync(path))).toBe(sha256);
    }
  });
});

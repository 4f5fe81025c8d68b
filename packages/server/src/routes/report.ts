import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";

/** A report that may still be growing. */
export interface ReportSource {
  /** JSON text of the report as it stands, or null before the first result. */
  read(): Promise<string | null>;
  /** Calls back whenever the report may have changed; returns how to stop. */
  subscribe(onChange: () => void): () => void;
}

/** How often the file is looked at: the name is polled, since neither it nor its directory need be there when a page asks. */
const POLL_MS = 500;

/** Differs whenever the file at a path is another one or was written to; what keeps it from being read is said by `read`. */
function stateOf(path: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch {
    return "none";
  }
}

/** The report file of a reproduction directory, which a page may wait for before either is there. */
export function reportFile(path: string): ReportSource {
  return {
    async read() {
      try {
        return await readFile(path, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw error;
      }
    },
    subscribe(onChange) {
      let seen = stateOf(path);
      const timer = setInterval(() => {
        const now = stateOf(path);
        if (now !== seen) onChange();
        seen = now;
      }, POLL_MS).unref();
      return () => clearInterval(timer);
    },
  };
}

const HEARTBEAT_MS = 15_000;

/** `GET /report` (JSON, 404 before the first result) and `GET /events` (server-sent `report` events). */
export function reportRoutes(source: ReportSource): Hono {
  const app = new Hono();
  app.get("/report", async (context) => {
    const json = await source.read();
    if (json === null) return context.json({ error: { message: "No result yet." } }, 404);
    return context.body(json, 200, { "content-type": "application/json", "cache-control": "no-store" });
  });
  app.get("/events", (context) =>
    streamSSE(context, async (stream) => {
      const stop = source.subscribe(() => void stream.writeSSE({ event: "report", data: String(Date.now()) }));
      stream.onAbort(stop);
      while (!stream.aborted) {
        await stream.writeSSE({ event: "heartbeat", data: "" });
        await stream.sleep(HEARTBEAT_MS);
      }
    }),
  );
  return app;
}

import { watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";

/** A report that may still be growing. */
export interface ReportSource {
  /** JSON text of the report as it stands, or null before the first result. */
  read(): Promise<string | null>;
  /** Calls back whenever the report may have changed; returns how to stop. */
  subscribe(onChange: () => void): () => void;
}

/** The report file of a reproduction directory. It is replaced by rename, so its directory is watched. */
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
      const watcher = watch(dirname(path), (_event, name) => {
        if (name === null || name === basename(path)) onChange();
      });
      return () => watcher.close();
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

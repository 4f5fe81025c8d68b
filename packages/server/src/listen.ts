import { serve } from "@hono/node-server";
import { ConfigError } from "@espalier/core";
import type { Hono } from "hono";

export interface Listening {
  url: string;
  close(): Promise<void>;
}

/**
 * Listens on the loopback interface only: pages and models of a training machine are nobody else's by default.
 *
 * @throws {ConfigError} when the port is taken
 */
export function listen(app: Hono, port = 0): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, (info) => {
      resolve({
        url: `http://127.0.0.1:${info.port}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            if ("closeAllConnections" in server) server.closeAllConnections();
          }),
      });
    });
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new ConfigError(`serve: port ${port} is taken by another program. Choose another with --port.`, { cause: error })
          : error,
      );
    });
  });
}

import type { CompletionModel } from "@espalier/spec/languageModel";
import { Hono } from "hono";
import { completionRoutes } from "./routes/completions.ts";
import { type ReportSource, reportRoutes } from "./routes/report.ts";

export interface AppOptions {
  /** The page served at `/`: the built web page without an embedded report. */
  page?: string;
  /** Where the report is read from, and who says that it changed. */
  report?: ReportSource;
  /** Served at `/v1/completions`. */
  model?: CompletionModel;
  /** Told of every failure that a client got as status 500 or in its stream; the server goes on. */
  onFailure?: (error: unknown) => void;
}

/** All routes as one Hono application; nothing listens yet. */
export function createApp({ page, report, model, onFailure = () => {} }: AppOptions): Hono {
  const app = new Hono();
  if (page !== undefined) app.get("/", (context) => context.html(page));
  if (report) app.route("/api", reportRoutes(report));
  if (model) app.route("/v1", completionRoutes(model, onFailure));
  app.notFound((context) => context.json({ error: { message: `No route ${context.req.method} ${context.req.path}.`, type: "not_found" } }, 404));
  app.onError((error, context) => {
    onFailure(error);
    return context.json({ error: { message: error.message, type: "server_error" } }, 500);
  });
  return app;
}

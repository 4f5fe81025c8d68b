import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Throws unless `DIR/plan.json`, `report.json` and `report.html` are there and hold together. */
export function checkReproduction(directory) {
  JSON.parse(readFileSync(join(directory, "plan.json"), "utf8"));
  const report = JSON.parse(readFileSync(join(directory, "report.json"), "utf8"));
  if (report.format !== "espalier-report-1") throw new Error(`report.json: format is ${report.format}`);
  if (report.arms.length === 0) throw new Error("report.json: no arms");
  for (const arm of report.arms) {
    if (!(arm.finalLoss > 0 && Number.isFinite(arm.finalLoss))) throw new Error(`${arm.id}: final loss is ${arm.finalLoss}`);
  }
  // 44 claims of the paper, each once: a row lost on the way would go unseen otherwise.
  const rows = new Set(report.claims.map((row) => row.id));
  if (rows.size !== 44 || report.claims.length !== 44) throw new Error(`${report.claims.length} claim rows of ${rows.size} ids, expected 44`);
  const html = readFileSync(join(directory, "report.html"), "utf8");
  if (/<(script|link)[^>]+(src|href)="https?:/i.test(html)) throw new Error("report.html loads something from elsewhere");
  if (statSync(join(directory, "report.html")).size < 20_000) throw new Error("report.html is too small to hold the report");
}

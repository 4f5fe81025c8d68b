import { FileError } from "@espalier/core";
import type { ReproductionReport } from "@espalier/spec/run";

const SLOT = '<script type="application/json" id="report-data">null</script>';

/**
 * Puts a report into the built web page.
 *
 * `<` is escaped inside the JSON, so that no text of a corpus or a path can end the script element.
 *
 * @throws {FileError} when the page has no place for it
 */
export function embedReport(page: string, report: ReproductionReport): string {
  if (!page.includes(SLOT)) throw new FileError("report page: no report-data element found, expected the built web page. Build it again.");
  const json = JSON.stringify(report).replaceAll("<", "\\u003c").replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
  return page.replace(SLOT, () => SLOT.replace("null", () => json));
}

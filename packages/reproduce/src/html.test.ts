import type { ReproductionReport } from "@espalier/spec/run";
import { describe, expect, it } from "vitest";
import { embedReport } from "./html.ts";

const page = '<body><script type="application/json" id="report-data">null</script></body>';

describe("embedReport", () => {
  it("survives text that would end the script, and replacement patterns", () => {
    const report = { headline: "</script><b>$& $1" } as ReproductionReport;
    const html = embedReport(page, report);
    expect(html.match(/<\/script>/g)).toHaveLength(1);
    expect(JSON.parse(/id="report-data">(.*)<\/script>/.exec(html)![1]!)).toEqual(report);
  });

  it("refuses a page without the element", () => {
    expect(() => embedReport("<body></body>", {} as ReproductionReport)).toThrow("no report-data element");
  });
});

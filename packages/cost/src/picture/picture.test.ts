import { describe, expect, it } from "vitest";
import { findClusterModel } from "../catalogue/clusterModels.ts";
import { cluster } from "../cluster/device.ts";
import { estimateRun } from "../cluster/estimateRun.ts";
import { planCluster } from "../cluster/planCluster.ts";
import { estimatePicture } from "./estimatePicture.ts";
import { frontPicture } from "./frontPicture.ts";

/** Every element closed in order: enough of XML for pictures without comments. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, end, name, inside] of svg.matchAll(/<(\/?)([a-zA-Z]+)((?:[^>"]|"[^"]*")*)>/g)) {
    if (end) expect(open.pop()).toBe(name);
    else if (!inside!.endsWith("/")) open.push(name!);
  }
  expect(open).toEqual([]);
}

const { model } = findClusterModel("llama-2-7b");
const machine = cluster("H100-SXM-80GB", 64);

describe("estimatePicture", () => {
  const run = estimateRun({ model, cluster: machine, tokens: 2e12, globalBatchSize: 1024 });
  const svg = estimatePicture("Llama-2 7B <&> \"64\" H100", run);
  it("is a well-formed document that names the parts", () => {
    expectWellFormed(svg);
    expect(svg).toContain("Llama-2 7B &lt;&amp;&gt; &quot;64&quot; H100");
    for (const part of run.step.parts.filter(({ seconds }) => seconds > 0.01 * run.step.seconds)) expect(svg).toContain(part.name);
  });
});

describe("frontPicture", () => {
  it("shows every run of the front and the rivals", () => {
    const sizes = ["flm-16b", "flm-51b", "flm-101b"].map((name) => findClusterModel(name).model);
    const plan = planCluster({ target: sizes[2]!, sizes, cluster: cluster("A800-SXM-80GB", 192), globalBatchSize: 2304, budgetUsd: 1e5, deadlineDays: 22, usdPerGpuHour: 1 });
    const svg = frontPicture("plan", plan);
    expectWellFormed(svg);
    expect(svg.match(/<circle/g)!.length).toBeGreaterThanOrEqual(plan.front.length + 2);
    expect(svg).toContain("plain smaller model");
    expect(svg).not.toContain("NaN");
  });
});

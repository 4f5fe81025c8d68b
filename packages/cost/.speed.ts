import { preset } from "@espalier/spec/model";
import { clusterModel, cluster, clusterLayout, searchLayouts } from "/work/wt/cost/packages/cost/src/index.ts";
import { stepSeconds, sumParts } from "/work/wt/cost/packages/cost/src/cluster/step.ts";
import { peakMemory } from "/work/wt/cost/packages/cost/src/cluster/memory.ts";
import { fittedConstants } from "/work/wt/cost/packages/cost/src/cluster/fitted.ts";
import { growthCurves } from "/work/wt/cost/packages/cost/src/cluster/planCluster.ts";
const m = clusterModel(preset("flm-101b").config), c = cluster("A800-SXM-80GB", 192);
const l = clusterLayout({ tensor: 4, pipeline: 4, data: 12, globalBatchSize: 2160 });
for (const [n, f] of [["step", () => sumParts(stepSeconds(m, l, c, fittedConstants))], ["memory", () => peakMemory(m, l)], ["curves", () => growthCurves([{parameters:16e9,tokens:2e11},{parameters:101e9,tokens:2e10}])], ["search", () => searchLayouts(m, c, 2304)]] as const) {
  let k = 0; const t = performance.now(); while (performance.now() - t < 500) { for (let i = 0; i < 20; i++) f(); k += 20; } console.log(n, k / ((performance.now() - t) / 1000));
}
console.log(searchLayouts(m, c, 2304).tried);

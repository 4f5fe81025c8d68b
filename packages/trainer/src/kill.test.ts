import { rmSync } from "node:fs";
import { join } from "node:path";
import { random } from "@espalier/core";
import { afterAll, describe, expect, it } from "vitest";
import { readEvents, readMetrics } from "./runDirectory.ts";
import { diskOperations, trainUntilKilled } from "./testing/kill.ts";
import { testedExecutors } from "./testing/executors.ts";
import { temporaryDirectory } from "./testing/runs.ts";

const root = temporaryDirectory();
afterAll(() => rmSync(root, { recursive: true }));
const executor = testedExecutors().length > 1 ? "cpu" : "reference";

describe("a run killed with SIGKILL", () => {
  const digests = { masked: new Set<string>(), packed: new Set<string>() };

  it("continues to the digest of the run that was never killed", async () => {
    const { operations, digest } = diskOperations(join(root, "whole"), executor);
    const at = (test: (operation: string) => boolean) => operations.findIndex(test) + 1;
    const chosen = [
      at((operation) => operation.includes(".writing-step-00000006-grown") && operation.startsWith("write")), // in the growth
      at((operation) => operation.startsWith("rename") && operation.endsWith("step-00000006-grown")), // before it counts
      at((operation) => operation.startsWith("rename") && operation.endsWith("step-00000006-grown")) + 2, // just after
      at((operation) => operation.includes("writing-step-00000008")) + 4, // mid-ramp
    ];
    const seeded = random(1, "kill points").sequence();
    const points = [...chosen, ...Array.from({ length: 4 }, () => 1 + seeded.integer(operations.length))];
    for (const [i, point] of points.entries()) {
      const directory = join(root, String(i));
      expect(trainUntilKilled(directory, point, executor).killed).toBe(true);
      expect(trainUntilKilled(directory, 0, executor).digest).toBe(digest);
      expect((await readMetrics(directory)).map(({ step }) => step)).toEqual(Array.from({ length: 19 }, (_, step) => step + 1));
      const kinds = (await readEvents(directory)).filter(({ kind }) => kind !== "segment" && kind !== "checkpoint");
      expect(kinds.map(({ kind, step }) => `${kind} ${step}`).sort()).toEqual(
        ["done 19", "growth 13", "growth 6", "rampEnd 10", "rampEnd 16", "stageEnd 13", "stageEnd 19", "stageEnd 6"],
      );
    }
  });

  it.each(["masked", "maskedOnDisk", "packed", "packedOnDisk"] as const)("continues to the same digest with documents kept apart or whole: %s", (kind) => {
    const { operations, digest } = diskOperations(join(root, kind), executor, kind);
    const grown = operations.findIndex((operation) => operation.startsWith("rename") && operation.endsWith("step-00000006-grown")) + 1;
    const midway = operations.findIndex((operation) => operation.includes("writing-step-00000016")) + 3;
    for (const point of [grown, midway]) {
      expect(point).toBeGreaterThan(3);
      const directory = join(root, `${kind} ${point}`);
      expect(trainUntilKilled(directory, point, executor, { kind }).killed).toBe(true);
      expect(trainUntilKilled(directory, 0, executor, { kind }).digest).toBe(digest);
    }
    const of = digests[kind.startsWith("masked") ? "masked" : "packed"];
    expect(of.add(digest).size).toBe(1); // in memory or on disk
    expect(trainUntilKilled(join(root, `plain beside ${kind}`), 0, executor).digest).not.toBe(digest);
  });
});

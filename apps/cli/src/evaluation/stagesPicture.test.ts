import { expect, it } from "vitest";
import { stagesPicture } from "./stagesPicture.ts";

it("keeps every stage's name inside the picture, in as many lines as that takes", () => {
  const cells = Array.from({ length: 9 }, (_, i) => ({ value: i / 9, interval: [i / 9, (i + 1) / 9] as const }));
  const names = cells.map((_, i) => `stage ${i + 1} (step ${1_000_000 * i})`);
  const svg = stagesPicture([{ task: "copa", metric: "acc", chance: 0.5, cells }], names, "run: every stage");
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number);
  const places = [...svg.matchAll(/translate\((\d+) (\d+)\)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
  expect(places).toHaveLength(9);
  for (const [i, [x]] of places.entries()) expect(x + 10 + 7 * names[i]!.length).toBeLessThanOrEqual(width!);
  const firstDot = Number(/<circle cx="[^"]+" cy="([^"]+)"/.exec(svg)![1]);
  expect(Math.max(...places.map(([, y]) => y))).toBeLessThan(firstDot - 8);
  expect(height!).toBeGreaterThan(firstDot);
});

import { describe, expect, it } from "vitest";
import { placeName } from "./model.ts";

describe("placeName", () => {
  it("is the place as typed, and the directory's own name where that says nothing", () => {
    const places: [typed: string, path: string, name: string][] = [
      ["run", "/home/ada/run", "run"],
      ["./runs//a/", "/home/ada/runs/a", "runs/a"],
      ["../a", "/home/a", "../a"],
      ["/models/gpt2", "/models/gpt2", "/models/gpt2"],
      [".", "/home/ada/run", "run"],
      ["./", "/home/ada/run", "run"],
      ["../..", "/home", "home"],
    ];
    for (const [typed, path, name] of places) expect(placeName(typed, path), typed).toBe(name);
  });
});

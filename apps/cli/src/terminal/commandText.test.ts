import { describe, expect, it } from "vitest";
import { commandText } from "./commandText.ts";

const words = ["generate", "my runs/a", "One day Ada", "--stop", `"it's $5"`, "", "../x_1.jsonl"];

describe("commandText", () => {
  it("is the installed command, with quotes where a shell needs them", () => {
    expect(commandText(words, {})).toBe(`espalier generate "my runs/a" "One day Ada" --stop '"it'\\''s $5"' "" ../x_1.jsonl`);
  });

  it("is the workspace's script where that started it, with npx where pnpm came through it", () => {
    const of = (npm_lifecycle_event: string, npm_execpath: string) => commandText(["doctor"], { npm_lifecycle_event, npm_execpath });
    expect(of("espalier", "/usr/lib/node_modules/pnpm/bin/pnpm.cjs")).toBe("pnpm espalier doctor");
    expect(of("reproduce", "/npm-cache/_npx/0123abcd/node_modules/pnpm/bin/pnpm.cjs")).toBe("npx -y pnpm@10 espalier doctor");
    expect(of("test", "/npm-cache/_npx/0123abcd/node_modules/pnpm/bin/pnpm.cjs")).toBe("espalier doctor");
  });
});

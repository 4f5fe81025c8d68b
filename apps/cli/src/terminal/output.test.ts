import { describe, expect, it } from "vitest";
import { createOutput } from "./output.ts";

/** A terminal that applies what is written: cursor up, erase below, lines. */
function terminal(isTTY: boolean, columns = 100) {
  const lines: string[] = [""];
  const chunks: string[] = [];
  const write = (text: string) => {
    chunks.push(text);
    for (const part of text.split(/(\u001b\[\d*[A-Za-z]|\n)/)) {
      const up = /^\u001b\[(\d+)A$/.exec(part);
      if (up) lines.splice(lines.length - 1 - Number(up[1]), Infinity, "");
      else if (part === "\n") lines.push("");
      else if (!part.startsWith("\u001b")) lines[lines.length - 1] += part;
    }
    return true;
  };
  return { stream: { isTTY, columns, write } as unknown as NodeJS.WriteStream, lines, chunks };
}

const event = (task: string, done: number, total = 100) => ({ task, done, total, unit: "tokens" });

describe("createOutput", () => {
  it("prints only JSON lines with --json", () => {
    const { stream, chunks } = terminal(true);
    const output = createOutput({ json: true, stream });
    output.line("for people");
    output.progress(event("a", 1));
    output.result("done", { x: 1 });
    expect(chunks.map((chunk) => JSON.parse(chunk) as unknown)).toEqual([
      { kind: "progress", ...event("a", 1) },
      { kind: "done", value: { x: 1 } },
    ]);
  });

  it("prints a plain line a task every ten seconds, and its last one, where there is no terminal", () => {
    const { stream, chunks } = terminal(false);
    let now = 0;
    const output = createOutput({ json: false, stream, now: () => now });
    for (let done = 0; done <= 100; done++, now += 250) output.progress(event("a", done));
    expect(chunks.map((chunk) => chunk.trim())).toEqual(["a:   0 %", expect.stringMatching(/^a: {2}40 % {2}4 tokens\/s {2}15 s left$/), expect.stringMatching(/^a: {2}80 %/), expect.stringMatching(/^a: 100 % {2}4 tokens\/s$/)]);
  });

  it("shows rate and remaining time in a narrow terminal too", () => {
    const ci = process.env.CI;
    delete process.env.CI;
    try {
      const { stream, lines } = terminal(true, 72);
      let now = 0;
      const output = createOutput({ json: false, stream, now: () => now });
      for (let done = 0; done <= 50; done++, now += 1000) output.progress(event("growth three stages seed 1", done));
      const [line, ...rest] = lines.filter(Boolean);
      expect(rest).toEqual([]);
      expect(line!.replace(/[━─]+/, "|")).toMatch(/^\| growth three stages seed 1 {2}50 % {2}1 tokens\/s {2}50 s left$/);
      expect(line!.length).toBeLessThan(72);
    } finally {
      if (ci !== undefined) process.env.CI = ci;
    }
  });

  it("gives names the width of the longest so far, and marks what it cuts off", () => {
    const ci = process.env.CI;
    delete process.env.CI;
    try {
      const { stream, lines } = terminal(true, 120);
      let now = 1000;
      const output = createOutput({ json: false, stream, now: () => now });
      const shown = () => lines.filter((line) => /[━─]/.test(line)).map((line) => line.replace(/[━─]+/, "|"));
      output.progress(event("train", 10));
      expect(shown()).toEqual(["| train  10 %"]);
      now += 1000;
      output.progress({ ...event("encode corpus", 20), detail: "x".repeat(200) });
      expect(shown()[0]).toMatch(/^\| train {10}10 %$/);
      expect(shown()[1]).toMatch(/^\| encode corpus {2}20 % {2}x+…$/);
      for (const line of lines) expect(line.length).toBeLessThan(120);
    } finally {
      if (ci !== undefined) process.env.CI = ci;
    }
  });

  it("keeps finished sentences above one redrawn line a running task", () => {
    const ci = process.env.CI;
    delete process.env.CI;
    try {
      const { stream, lines } = terminal(true);
      let now = 1000;
      const output = createOutput({ json: false, stream, now: () => now });
      output.progress(event("a", 1));
      now += 1000;
      output.progress(event("b", 2));
      output.line("first");
      now += 1000;
      output.progress(event("a", 51));
      expect(lines.filter(Boolean).map((line) => line.replace(/[━─]+/, "|").trimEnd())).toEqual(["first", expect.stringMatching(/^\| a +51 %/), expect.stringMatching(/^\| b +2 %/)]);
      output.progress(event("a", 100));
      now += 1000;
      output.progress(event("b", 100));
      output.close();
      expect(lines.filter(Boolean)).toEqual(["first", "✓ a  100 tokens  2 s", "✓ b  100 tokens  2 s"]);
    } finally {
      if (ci !== undefined) process.env.CI = ci;
    }
  });
});

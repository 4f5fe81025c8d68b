import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { itemDigest } from "../testing/itemDigest.ts";
import { tasks } from "./table.ts";

const file = new URL("./released.json", import.meta.url);
const released = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;

/**
 * A digest that fails here means that published scores of the task can no longer be compared with new ones: raise the
 * task's version, and record what `itemDigest` gives, or undo the change.
 */
const versions = tasks.flatMap((task) => [task, ...(task.earlier ?? [])]);

describe("released items", () => {
  it("are recorded for every task at each of its versions and for no others", () => {
    expect(Object.keys(released).sort()).toEqual(versions.map(({ id, version }) => `${id}@${version}`).sort());
  });

  it.each(versions.map((task) => [`${task.id}@${task.version}`, task] as const))("%s", (name, task) => {
    expect(itemDigest(task)).toBe(released[name]);
  });
});

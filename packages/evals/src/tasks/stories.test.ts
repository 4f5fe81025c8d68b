import { describe, expect, it } from "vitest";
import { singleSupportingFact, twoSupportingFacts } from "./stories.ts";

const queryOf = (prompt: string) => prompt.split("\n\n").at(-1)!.split("\n");

describe("twoSupportingFacts", () => {
  it("counts the statements after the last of its two facts", () => {
    const distances = new Set<unknown>();
    for (let i = 0; i < 60; i++) {
      const { prompt, meta, target } = twoSupportingFacts.generate("paper", 1, i);
      const story = queryOf(prompt);
      const thing = /Where is the (\w+)\?/.exec(story.pop()!)![1];
      const handled = story.findLastIndex((line) => line.endsWith(` the ${thing}.`));
      const [actor, verb] = story[handled].split(" ");
      const moved = story.findLastIndex((line, n) => line.startsWith(`${actor} `) && line.endsWith(` the ${target}.`) && (verb !== "dropped" || n < handled));
      expect(meta.distance).toBe(story.length - 1 - Math.max(handled, moved));
      distances.add(meta.distance);
    }
    expect(distances.size).toBeGreaterThan(4);
  });

  it("never lets anybody take what another holds or drop what they do not hold", () => {
    for (let i = 0; i < 20; i++) {
      const holder = new Map<string, string>();
      for (const line of queryOf(twoSupportingFacts.generate("large", 2, i).prompt)) {
        const [, name, verb, thing] = /^(\w+) (got|dropped) the (\w+)\.$/.exec(line) ?? [];
        if (verb === "got") {
          expect(holder.has(thing)).toBe(false);
          holder.set(thing, name);
        } else if (verb === "dropped") {
          expect(holder.get(thing)).toBe(name);
          holder.delete(thing);
        }
      }
    }
  });
});

describe("singleSupportingFact", () => {
  it("counts the statements after its fact and draws another world for another seed", () => {
    const { prompt, meta, target } = singleSupportingFact.generate("paper", 1, 0);
    const story = queryOf(prompt);
    const actor = /Where is (\w+)\?/.exec(story.pop()!)![1];
    const fact = story.findLastIndex((line) => line.startsWith(`${actor} `));
    expect(story[fact].endsWith(` the ${target}.`)).toBe(true);
    expect(meta.distance).toBe(story.length - 1 - fact);
    const words = (seed: number) => new Set(Array.from({ length: 20 }, (_, i) => singleSupportingFact.generate("paper", seed, i).target));
    expect([...words(1)].filter((word) => words(2).has(word)).length).toBeLessThan(4);
  });
});

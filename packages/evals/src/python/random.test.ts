import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pythonRandom } from "./random.ts";

const golden = new URL("../../../../../shared/data/eval/golden/python_random_and_stats.json", import.meta.url);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

describe("pythonRandom", () => {
  it("draws what CPython draws", () => {
    const drawn = pythonRandom(42);
    expect([drawn.random(), drawn.random()]).toEqual([0.6394267984578837, 0.025010755222666936]);
    expect(pythonRandom(42).shuffle(range(12))).toEqual([7, 5, 2, 8, 9, 6, 11, 3, 4, 0, 1, 10]);
    expect(pythonRandom(0).choices(range(10), 10)).toEqual([8, 7, 4, 2, 5, 4, 7, 3, 4, 5]);
    // Between both algorithms of sample: k = 6 draws from a pool up to 85 elements, k = 5 up to 21.
    expect(pythonRandom(7).sample(range(50), 6)).toEqual([20, 9, 25, 41, 3, 4]);
    expect(pythonRandom(7).sample(range(50), 5)).toEqual([20, 9, 25, 41, 3]);
    // python3 -c "import random; r = random.Random(2**70 + 5); print(r.random())"
    expect(pythonRandom(2n ** 70n + 5n).random()).toBe(0.46679953776226335);
  });

  it("refuses a seed or a sample that CPython would refuse", () => {
    expect(() => pythonRandom(1.5)).toThrow(/seed is 1.5/);
    expect(() => pythonRandom(1).sample([1, 2], 3)).toThrow(/sample of 3 from 2/);
    expect(() => pythonRandom(1).randbelow(0)).toThrow(/randbelow\(0\)/);
  });

  it.skipIf(!existsSync(golden))("equals every recorded draw when the golden file is present", () => {
    const recorded = JSON.parse(readFileSync(golden, "utf8")) as Record<string, never>;
    const draws = pythonRandom(1234);
    expect(range(5).map(() => draws.random())).toEqual(recorded.random_1234_first5);
    const bits = pythonRandom(1234);
    expect(range(5).map(() => bits.getrandbits(32))).toEqual(recorded.getrandbits32_1234_first5);
    let samples = 0;
    for (const [name, expected] of Object.entries(recorded)) {
      const match = /^sample_seed(\d+)_pop(\d+)_k(\d+)_x3$/.exec(name);
      if (match === null) continue;
      const [seed, population, k] = match.slice(1).map(Number);
      const r = pythonRandom(seed);
      expect(range(3).map(() => r.sample(range(population), k)), name).toEqual(expected);
      samples++;
    }
    expect(samples).toBeGreaterThanOrEqual(9);
    expect(pythonRandom(1).choices(range(10), 10)).toEqual(recorded.choices_seed1_range10_k10);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endLabels } from "./endLabels.ts";

describe("endLabels", () => {
  it("puts a lonely label at the mean of its runs", () => {
    expect(endLabels([{ role: "a", loss: 3 }, { role: "a", loss: 4 }], [2, 6], 400)).toEqual([{ role: "a", mean: 3.5, y: 3.5 }]);
  });
  it("keeps labels in order, apart, and inside the domain", () => {
    const losses = fc.array(fc.double({ min: 2, max: 6, noNaN: true }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(losses, (values) => {
        const labels = endLabels(values.map((loss, i) => ({ role: String(i), loss })), [2, 6], 400);
        const gaps = labels.slice(1).map((label, i) => label.y - labels[i]!.y);
        expect(gaps.every((gap) => gap >= (4 * 17) / 400 - 1e-9)).toBe(true);
        expect(labels.every(({ y }) => y >= 2 && y <= 6)).toBe(true);
        expect(labels.map(({ mean }) => mean)).toEqual(values.toSorted((a, b) => a - b));
      }),
    );
  });
});

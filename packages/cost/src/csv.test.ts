import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCsv, writeCsv } from "./csv.ts";

describe("parseCsv", () => {
  it("reads quoted cells, doubled quotes, line breaks within quotes and short rows", () => {
    expect(parseCsv('a,b\r\n"1,5","x ""y""\nz"\n2\n')).toEqual([{ a: "1,5", b: 'x "y"\nz' }, { a: "2", b: "" }]);
    expect(parseCsv("")).toEqual([]);
  });
  it("reads back what writeCsv wrote", () => {
    const cell = fc.string().map((text) => text.replaceAll("\r", ""));
    fc.assert(fc.property(fc.array(fc.record({ a: cell, "b,c": cell }), { minLength: 1 }), (rows) => {
      expect(parseCsv(writeCsv(rows))).toEqual(rows);
    }));
  });
});

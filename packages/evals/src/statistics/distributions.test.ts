import { describe, expect, it } from "vitest";
import {
  betaCdf, betaQuantile, binomialCdf, binomialPmf, binomialTest, fisherTest, logGamma, normalCdf, normalQuantile, studentCdf, studentQuantile,
} from "./distributions.ts";

/** Relative closeness; expected values are SciPy 1.17's unless they are exact. */
const close = (actual: number, expected: number, tolerance = 1e-11) =>
  expect(Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-300)).toBeLessThan(tolerance);

describe("logGamma", () => {
  it("is ln (n-1)! at whole numbers and right between them", () => {
    close(logGamma(7), Math.log(720));
    close(logGamma(0.5), Math.log(Math.PI) / 2);
    close(logGamma(0.3), 1.0957979948180756);
    close(logGamma(301), 1414.9058499450678);
  });
});

describe("betaCdf", () => {
  it("equals the polynomial of Beta(2, 5) and reference values", () => {
    close(betaCdf(0.3, 2, 5), 0.5798250000000003);
    close(betaCdf(0.02, 1, 31), 1 - 0.98 ** 31);
    close(betaCdf(0.51, 500, 480), 0.4947294759140738, 1e-10);
  });
});

describe("betaQuantile", () => {
  it("inverts the distribution function", () => {
    close(betaQuantile(0.025, 3, 28), 0.02111713702972257);
    close(betaQuantile(0.975, 123, 27), 0.8770556491276849);
    expect(() => betaQuantile(1, 2, 2)).toThrow(/probability is 1, expected between 0 and 1/);
  });
});

describe("studentQuantile", () => {
  it("equals tan at one degree of freedom and reference values", () => {
    close(studentQuantile(0.975, 1), Math.tan(0.475 * Math.PI));
    close(studentQuantile(0.025, 9), -2.262157162798205);
    close(studentCdf(-1.3, 4), 0.13172579823561206);
    expect(studentQuantile(0.5, 3)).toBe(0);
  });
});

describe("normalCdf and normalQuantile", () => {
  it("agree with reference values in the middle and in the tail", () => {
    close(normalCdf(1.96), 0.9750021048517795);
    close(normalCdf(-6), 9.865876450376946e-10);
    close(normalCdf(3.5), 0.9997673709209645);
    close(normalQuantile(0.975), 1.959963984540054);
    close(normalQuantile(0.2), -0.8416212335729143);
  });
});

describe("binomial", () => {
  it("has exact probabilities, sums and tests", () => {
    close(binomialPmf(3, 30, 0.02), 0.018824353260059122);
    close(binomialCdf(7, 20, 0.4), 0.41589293755753554);
    close(binomialTest(7, 20, 0.2), 0.09822172861346881);
    close(binomialTest(3, 15, 0.5), 0.03515625);
    expect([binomialPmf(0, 5, 0), binomialPmf(1, 5, 0), binomialPmf(5, 5, 1)]).toEqual([1, 0, 1]);
  });
});

describe("fisherTest", () => {
  it("equals the tea-tasting value 17/35 and reference values", () => {
    close(fisherTest(3, 4, 1, 4), 17 / 35);
    close(fisherTest(103, 148, 90, 148), 0.14293409272599092);
    close(fisherTest(8, 10, 1, 6), 0.034965034965034975);
  });
});

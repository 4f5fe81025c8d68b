/** Distribution functions that the intervals and tests stand on. Accuracy about 1e-13 unless stated. */

import { ConfigError } from "@espalier/core";

/** Lanczos coefficients, g = 7, n = 9 (Godfrey 2001). */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** ln Gamma(x) for x > 0. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const t = x + 6.5;
  let sum = LANCZOS[0];
  for (let k = 1; k < 9; k++) sum += LANCZOS[k] / (x - 1 + k);
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Continued fraction of the incomplete beta function, by the modified Lentz method. */
function betaFraction(a: number, b: number, x: number): number {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < tiny ? tiny : d);
  let h = d;
  for (let m = 1; m <= 10_000; m++) {
    for (const numerator of [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ]) {
      d = 1 + numerator * d;
      d = 1 / (Math.abs(d) < tiny ? tiny : d);
      c = 1 + numerator / c;
      if (Math.abs(c) < tiny) c = tiny;
      h *= d * c;
    }
    if (Math.abs(d * c - 1) < 1e-15) return h;
  }
  return h;
}

/** Regularised incomplete beta function I_x(a, b): the distribution function of Beta(a, b). */
export function betaCdf(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(a, b, x)) / a : 1 - (front * betaFraction(b, a, 1 - x)) / b;
}

/** Where a rising function on [low, high] reaches `value`, by bisection to the last bit. */
export function invert(rising: (x: number) => number, value: number, low: number, high: number): number {
  for (let k = 0; k < 200; k++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (rising(middle) < value) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function expectProbability(where: string, p: number): void {
  if (!(p > 0 && p < 1)) throw new ConfigError(`${where}: probability is ${p}, expected between 0 and 1. Pass e.g. 0.975.`);
}

/** Quantile of Beta(a, b). */
export function betaQuantile(p: number, a: number, b: number): number {
  expectProbability("betaQuantile", p);
  return invert((x) => betaCdf(x, a, b), p, 0, 1);
}

/** Distribution function of Student's t with `df` degrees of freedom. */
export function studentCdf(t: number, df: number): number {
  const tail = betaCdf(df / (df + t * t), df / 2, 0.5) / 2;
  return t < 0 ? tail : 1 - tail;
}

/** Quantile of Student's t. */
export function studentQuantile(p: number, df: number): number {
  expectProbability("studentQuantile", p);
  if (p < 0.5) return -studentQuantile(1 - p, df);
  if (p === 0.5) return 0;
  const x = invert((y) => betaCdf(y, df / 2, 0.5), 2 * (1 - p), 0, 1);
  return Math.sqrt((df * (1 - x)) / x);
}

/** Distribution function of the standard normal, through the incomplete gamma relation; error below 1e-14. */
export function normalCdf(z: number): number {
  return z < 0 ? upperTail(-z) : 1 - upperTail(z);
}

/** P(Z > z), z >= 0: power series for small z, continued fraction in the tail (Abramowitz & Stegun 26.2.10, 26.2.14). */
function upperTail(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < 3) {
    let term = z;
    let sum = z;
    for (let k = 1; term > sum * 1e-17 && k < 500; k++) {
      term *= (z * z) / (2 * k + 1);
      sum += term;
    }
    return 0.5 - density * sum;
  }
  let fraction = z;
  for (let k = 200; k > 0; k--) fraction = z + k / fraction;
  return density / fraction;
}

/** Quantile of the standard normal. */
export function normalQuantile(p: number): number {
  expectProbability("normalQuantile", p);
  return p < 0.5 ? -normalQuantile(1 - p) : invert(normalCdf, p, 0, 40);
}

/** P(X = k) for X of Binomial(n, p). */
export function binomialPmf(k: number, n: number, p: number): number {
  if (k < 0 || k > n) return 0;
  if (p <= 0) return k === 0 ? 1 : 0;
  if (p >= 1) return k === n ? 1 : 0;
  const logChoose = logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
  return Math.exp(logChoose + k * Math.log(p) + (n - k) * Math.log1p(-p));
}

/** P(X <= k) for X of Binomial(n, p). */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  return 1 - betaCdf(p, k + 1, n - k);
}

/** Probabilities within this relative distance count as equal in exact tests (as in R). */
const SAME = 1 + 1e-7;

/** Exact two-sided test of k successes in n against p: total probability of outcomes no more likely than k. */
export function binomialTest(k: number, n: number, p: number): number {
  const observed = binomialPmf(k, n, p) * SAME;
  let total = 0;
  for (let j = 0; j <= n; j++) {
    const probability = binomialPmf(j, n, p);
    if (probability <= observed) total += probability;
  }
  return Math.min(1, total);
}

/** Fisher's exact two-sided test of two proportions: successes k of n each. */
export function fisherTest(k1: number, n1: number, k2: number, n2: number): number {
  const total = k1 + k2;
  const logChoose = (n: number, k: number) => logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
  const logProbability = (j: number) => logChoose(n1, j) + logChoose(n2, total - j) - logChoose(n1 + n2, total);
  const observed = Math.exp(logProbability(k1)) * SAME;
  let sum = 0;
  for (let j = Math.max(0, total - n2); j <= Math.min(n1, total); j++) {
    const probability = Math.exp(logProbability(j));
    if (probability <= observed) sum += probability;
  }
  return Math.min(1, sum);
}

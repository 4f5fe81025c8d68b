import { describe, expect, it } from "vitest";
import { cluster } from "./device.ts";
import { gemmSeconds } from "./gemm.ts";

const { device } = cluster("A100-SXM-80GB", 8);
const rate = device.matmulTflops * 1e12;

describe("gemmSeconds", () => {
  it("is worked out by hand for one full wave", () => {
    // 108 tiles of 256 x 128 on 108 multiprocessors: 12 x 9 tiles, one wave, K + 128 columns.
    const seconds = (108 * 256 * 128 * 2 * (4096 + 128)) / rate;
    expect(gemmSeconds(device, rate, 12 * 256, 9 * 128, 4096)).toBeCloseTo(seconds, 12);
  });
  it("pays a whole wave for one tile more", () => {
    const full = gemmSeconds(device, rate, 12 * 256, 9 * 128, 4096);
    const more = gemmSeconds(device, rate, 13 * 256, 9 * 128, 4096);
    expect(more / full).toBeGreaterThan(1.25);
  });
  it("is slower at a size that 64 does not divide than at the next one that it does", () => {
    const aligned = gemmSeconds(device, rate, 4096, 1280, 10240);
    const odd = gemmSeconds(device, rate, 4096, 1250, 10240);
    expect(odd / aligned).toBeCloseTo(1.25, 1);
  });
  it.each([[1, 1, 1], [64, 64, 64], [4096, 4096, 4096], [8192, 16384, 4096]])("never beats rate or bandwidth at [%i, %i, %i]", (M, N, K) => {
    const seconds = gemmSeconds(device, rate, M, N, K);
    expect(seconds).toBeGreaterThanOrEqual((2 * M * N * K) / rate);
    expect(seconds).toBeGreaterThanOrEqual((2 * (M * K + K * N + M * N)) / (device.memoryGbPerSecond * 1e9));
  });
  it("reaches nine tenths of the rate at a large product", () => {
    expect((2 * 8192 ** 3) / rate / gemmSeconds(device, rate, 8192, 8192, 8192)).toBeGreaterThan(0.9);
  });
});

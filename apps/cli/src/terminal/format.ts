import { isAbsolute, relative } from "node:path";

/** 12345678 with unit bytes as `12.3 MB`; other units as `12.3 M tokens`. */
export function quantity(value: number, unit: string): string {
  const scaled = (suffixes: readonly [string, number][]) => {
    for (const [suffix, size] of suffixes) if (value >= size) return [`${(value / size).toPrecision(3)}`, suffix] as const;
    return [Number.isInteger(value) || value >= 1000 ? value.toFixed(0) : value.toPrecision(3), ""] as const;
  };
  if (unit === "bytes") {
    const [number, suffix] = scaled([["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]);
    return `${number} ${suffix || "B"}`;
  }
  const [number, suffix] = scaled([["G", 1e9], ["M", 1e6], ["k", 1e4]]);
  if (suffix === "k") return `${(value / 1e3).toPrecision(3)} k ${unit}`;
  return `${number}${suffix && ` ${suffix}`} ${unit}`;
}

/** 75 as `1 min 15 s`. */
export function clock(seconds: number): string {
  const rounded = Math.round(seconds);
  if (rounded < 60) return `${rounded} s`;
  if (rounded < 3600) return `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
  return `${Math.floor(rounded / 3600)} h ${Math.floor((rounded % 3600) / 60)} min`;
}

/** A path as short as it can be typed: relative below `from`, where the user stands, absolute elsewhere. */
export function placeText(from: string, path: string): string {
  const below = relative(from, path);
  return below.startsWith("..") || isAbsolute(below) ? path : below || ".";
}

import type { SetSize } from "@espalier/evals";
import type { Device } from "@espalier/kernels";
import { InvalidArgumentError, Option } from "commander";

export interface WithDevice {
  device: Device;
}

export const deviceOption = () =>
  new Option("--device <name>", "cpu, or cuda: the first GPU, with @espalier/kernels-cuda installed").choices(["cpu", "cuda"] satisfies Device[]).default("cpu");

export function positiveInteger(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError(`expected a whole number of at least 1.`);
  return number;
}

export function integer(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new InvalidArgumentError("expected a whole number.");
  return number;
}

export function positive(value: string): number {
  const number = Number(value);
  if (!(number > 0) || !Number.isFinite(number)) throw new InvalidArgumentError("expected a number above 0.");
  return number;
}

/** How many items of a test: a number, or a size that has a name. */
export function itemCountOption(value: string): SetSize {
  if (value === "quick" || value === "paper" || value === "large") return value;
  if (!/^\d+$/.test(value) || Number(value) < 1) throw new InvalidArgumentError("expected a whole number from 1, quick, paper or large.");
  return Number(value);
}

export function share(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number < 1)) throw new InvalidArgumentError("expected a number between 0 and 1.");
  return number;
}

export function port(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 65535) throw new InvalidArgumentError("expected a port from 0 to 65535.");
  return number;
}

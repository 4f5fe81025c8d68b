import { ConfigError } from "@espalier/core";
import type { Family } from "./family.ts";
import { gpt2 } from "./gpt2.ts";
import { gptNeox } from "./gptNeox.ts";
import { llama } from "./llama.ts";
import { starcoder2 } from "./starcoder2.ts";

/** Every family that is read and written, by `model_type`. */
export const families: readonly Family[] = [llama, gptNeox, gpt2, starcoder2];

/** @throws {ConfigError} with the families there are */
export function familyNamed(modelType: unknown, where: string): Family {
  const found = families.find((family) => family.modelType === modelType);
  if (found) return found;
  const names = families.map((family) => family.modelType).join(", ");
  throw new ConfigError(`${where}: model_type is ${JSON.stringify(modelType) ?? "missing"}, expected one of ${names}. Use a model of one of these.`);
}

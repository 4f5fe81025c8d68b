import { floatRepr } from "../python/json.ts";

/** JSON has no infinities and no NaN: those stand as Python prints them, all else as it is. */
export const floatText = <T>(value: T): T | string => (typeof value === "number" && !Number.isFinite(value) ? floatRepr(value) : value);

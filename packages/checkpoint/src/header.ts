import { FileError } from "@espalier/core";
import { dtypeRank, isDType, type SafetensorsDType, tensorBytes } from "./dtype.ts";

/** Longest header that readers accept, as in the reference implementation. */
export const MAX_HEADER_BYTES = 100_000_000;

export interface TensorInfo {
  name: string;
  dtype: SafetensorsDType;
  shape: readonly number[];
}

/** A tensor's place: bytes [begin, end) of the data area. */
export interface TensorRecord extends TensorInfo {
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes. */
  tensors: ReadonlyMap<string, TensorRecord>;
}

/**
 * Lays tensors out as the reference writer does: descending alignment of the element type, then name; no holes.
 *
 * @throws {FileError} on a name used twice, a reserved name, or a shape that is no whole number of bytes
 */
export function layOut(tensors: readonly TensorInfo[], where: string): TensorRecord[] {
  const sorted = [...tensors].sort(
    (a, b) => dtypeRank(b.dtype) - dtypeRank(a.dtype) || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  );
  let offset = 0;
  const seen = new Set<string>();
  return sorted.map(({ name, dtype, shape }) => {
    if (seen.has(name)) throw new FileError(`${where}: tensor \`${name}\` is given twice, expected once. Rename one.`);
    if (name === "__metadata__") throw new FileError(`${where}: tensor name \`__metadata__\` is reserved. Rename it.`);
    seen.add(name);
    const bytes = shape.every(isSize) ? tensorBytes(dtype, shape) : undefined;
    if (bytes === undefined) {
      throw new FileError(`${where}: tensor \`${name}\` has shape [${shape}] of ${dtype}, expected whole bytes. Correct it.`);
    }
    return { name, dtype, shape, begin: offset, end: (offset += bytes) };
  });
}

/** The first bytes of a file: 8 bytes length, JSON, spaces up to a multiple of 8. */
export function encodeHeader(records: readonly TensorRecord[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries = records.map(({ name, dtype, shape, begin, end }): [string, unknown] => [
    name,
    { dtype, shape, data_offsets: [begin, end] },
  ]);
  // Written piece by piece: an object would reorder names that look like numbers.
  const fields = [
    ...(Object.keys(metadata).length ? [["__metadata__", metadata] as const] : []),
    ...entries,
  ].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const json = Buffer.from(`{${fields.join(",")}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, " ");
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(bytes, 8);
  return bytes;
}

/**
 * Checks and reads a header.
 *
 * @param json      the header's bytes, without the 8 bytes of length
 * @param dataBytes length of the data area; the tensors must cover it without holes or overlap
 * @throws {FileError} saying which tensor or field is wrong
 */
export function parseHeader(json: Uint8Array, dataBytes: number, where: string): SafetensorsHeader {
  const fail = (problem: string): never => {
    throw new FileError(`${where}: ${problem}. The file is damaged or not safetensors; restore it from its source.`);
  };
  if (json[0] !== 0x7b) fail("the header does not begin with `{`");
  let keys: string[] = [];
  let value: Record<string, unknown> = {};
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(json);
    value = JSON.parse(text) as Record<string, unknown>;
    keys = topLevelKeys(text);
  } catch {
    fail("the header is not UTF-8 JSON");
  }
  const seen = new Set<string>();
  for (const key of keys) {
    if (seen.has(key)) fail(`\`${key}\` appears twice in the header`);
    seen.add(key);
  }

  const { __metadata__: metadata = {}, ...rest } = value;
  if (!isRecord(metadata) || !Object.values(metadata).every((v) => typeof v === "string")) {
    fail("`__metadata__` is not a map from text to text");
  }
  const records = Object.entries(rest).map(([name, raw]): TensorRecord => {
    const { dtype, shape, data_offsets: offsets } = (isRecord(raw) ? raw : {}) as Record<string, unknown>;
    if (!isDType(dtype)) return fail(`tensor \`${name}\` has unknown dtype ${JSON.stringify(dtype)}`);
    if (!Array.isArray(shape) || !shape.every(isSize)) return fail(`tensor \`${name}\` has a bad shape`);
    if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
      return fail(`tensor \`${name}\` has bad data_offsets`);
    }
    const [begin, end] = offsets as [number, number];
    if (end - begin !== tensorBytes(dtype, shape)) {
      return fail(`tensor \`${name}\` holds ${end - begin} bytes, expected those of [${shape}] ${dtype}`);
    }
    return { name, dtype, shape, begin, end };
  });
  records.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of records) {
    if (begin !== covered) fail(`tensor \`${name}\` begins at byte ${begin}, expected ${covered}`);
    covered = end;
  }
  if (covered !== dataBytes) fail(`the tensors cover ${covered} bytes, but the file holds ${dataBytes}`);
  return { metadata: metadata as Record<string, string>, tensors: new Map(records.map((r) => [r.name, r])) };
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Keys of the outermost object of valid JSON, repeated ones included (`JSON.parse` keeps only the last). */
function topLevelKeys(json: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  for (const [token, text] of json.matchAll(/"((?:[^"\\]|\\.)*)"\s*:|"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && text !== undefined) keys.push(JSON.parse(`"${text}"`) as string);
  }
  return keys;
}

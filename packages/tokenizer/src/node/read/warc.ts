import { FileError } from "@espalier/core";
import type { RawRecord } from "./batches.ts";
import { type ContentOptions, contentOf } from "./content.ts";
import type { CorpusFile } from "./files.ts";
import { validUtf8 } from "./text.ts";

/** More is no header of a record. */
const MAX_HEADER_BYTES = 1 << 16;

/**
 * Texts of a WARC or WET file: `conversion` records, and `resource` and `response` records of type `text/plain`. Pages in
 * HTML are counted as malformed: text extraction is a step of its own, and Common Crawl's WET files are its result.
 *
 * @throws {FileError} when a record has no `WARC/` line or no length
 * @see ISO 28500:2017
 */
export async function* warcRecords(file: CorpusFile, options: ContentOptions): AsyncGenerator<RawRecord> {
  const input = new Input(contentOf(file, options));
  for (let number = 1; ; number++) {
    const header = await input.header();
    if (header === undefined) return;
    const length = Number(/^content-length:\s*(\d+)\s*$/im.exec(header)?.[1] ?? NaN);
    if (!header.startsWith("WARC/") || !Number.isSafeInteger(length)) {
      throw new FileError(`reading ${file.path}: record ${number} begins ${JSON.stringify(header.slice(0, 40))}, expected a WARC header with Content-Length. It is damaged, or no WARC file.`);
    }
    const body = await input.take(length);
    if (body.length < length) {
      const reason = `the record ends ${length - body.length} bytes early`;
      if (!options.onDamaged) throw new FileError(`reading ${file.path}: record ${number}: ${reason}. Copy or download it again.`);
      options.onDamaged(reason);
      return;
    }
    const record = textOf(header, body);
    if (record) yield { ...record, number };
  }
}

function textOf(header: string, body: Buffer): Pick<RawRecord, "bytes" | "malformed"> | undefined {
  const value = (name: string, from: string) => new RegExp(`^${name}:\\s*([^\\s;]+)`, "im").exec(from)?.[1]?.toLowerCase();
  const type = value("warc-type", header);
  if (type === "conversion") return { bytes: validUtf8(body) };
  if (type === "resource") return plain(value("content-type", header), body);
  if (type !== "response") return undefined; // warcinfo, request, metadata, revisit: not documents
  const end = body.indexOf("\r\n\r\n");
  if (end < 0) return { malformed: "a response without a body" };
  return plain(value("content-type", body.toString("latin1", 0, end)), body.subarray(end + 4));
}

const plain = (type: string | undefined, body: Buffer): Pick<RawRecord, "bytes" | "malformed"> =>
  type === "text/plain" ? { bytes: validUtf8(body) } : { malformed: `content of type ${type ?? "unknown"}, expected text/plain or a WET file` };

/** Bytes of a stream by the piece. */
class Input {
  readonly #chunks: AsyncGenerator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncGenerator<Buffer>) {
    this.#chunks = chunks;
  }

  async #more(): Promise<boolean> {
    const { value } = await this.#chunks.next();
    if (!value) return false;
    this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, value]) : value;
    return true;
  }

  /** Lines up to an empty one; nothing at the end of the file. Line ends before it are passed over. */
  async header(): Promise<string | undefined> {
    for (;;) {
      let start = 0;
      while (this.#rest[start] === 0x0d || this.#rest[start] === 0x0a) start++;
      this.#rest = this.#rest.subarray(start);
      const end = this.#rest.subarray(0, MAX_HEADER_BYTES).indexOf("\r\n\r\n");
      if (end >= 0) {
        const header = this.#rest.toString("utf8", 0, end);
        this.#rest = this.#rest.subarray(end + 4);
        return header;
      }
      if (this.#rest.length > MAX_HEADER_BYTES || !(await this.#more())) {
        if (this.#rest.length === 0) return undefined;
        const begin = this.#rest.toString("utf8", 0, 80);
        this.#rest = this.#rest.subarray(this.#rest.length);
        return begin;
      }
    }
  }

  async take(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let missing = length;
    while (missing > 0 && (this.#rest.length > 0 || (await this.#more()))) {
      const piece = this.#rest.subarray(0, missing);
      pieces.push(piece);
      this.#rest = this.#rest.subarray(piece.length);
      missing -= piece.length;
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }
}

import type { CorpusEstimate, CorpusManifest, Estimate } from "@espalier/tokenizer/node";
import { clock, quantity } from "../terminal/format.ts";

/** A finished corpus in sentences. */
export function manifestLines(manifest: CorpusManifest): string[] {
  const { documents, train, validation, tokenizer } = manifest;
  const lines = [
    `${documents.train + documents.validation} documents (${documents.duplicates === 1 ? "1 copy" : `${documents.duplicates} copies`} left out), ` +
      `${train.numTokens.toLocaleString("en")} training and ${validation.numTokens.toLocaleString("en")} validation tokens, vocabulary ${tokenizer.vocabSize.toLocaleString("en")}, ` +
      `${((train.textBytes + validation.textBytes) / Math.max(1, train.numTokens + validation.numTokens)).toFixed(2)} bytes a token.`,
  ];
  const [malformed] = manifest.malformedLines;
  if (malformed) lines.push(`${documents.malformed} malformed lines left out; the first: ${malformed.source}: ${malformed.reason}`);
  for (const { source, reason } of manifest.damaged) lines.push(`${source}: only its beginning was read: ${reason}`);
  const left = { ...documents.dropped, ...(documents.nearDuplicates > 0 && { "near-duplicate": documents.nearDuplicates }) };
  for (const [rule, count] of Object.entries(left).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const example = manifest.droppedSamples.find((sample) => sample.rule === rule);
    lines.push(`${count} documents left out by ${rule}${example ? `; for example ${example.source}: ${example.detail}` : ""}`);
  }
  if (documents.repeatedSentences !== undefined) lines.push(`${documents.repeatedSentences} sentences left out by repeated-spans, the documents they emptied included`);
  for (const [kind, count] of Object.entries(documents.masked)) lines.push(`${count} times ${kind} masked`);
  return lines;
}

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

/** A dry run as a small table. */
export function estimateLines(estimate: CorpusEstimate, workers: number): string[] {
  const { numFiles, storedBytes, sample, textBytes, documents, tokens, droppedShare, malformedShare, diskBytes, freeBytes } = estimate;
  const between = ({ value, low, high }: Estimate, unit: string) =>
    low === high ? quantity(value, unit) : `${quantity(value, unit)}, between ${quantity(low, unit)} and ${quantity(high, unit)}`;
  const dropped = Object.entries(droppedShare).map(([rule, share]) => `${rule} ${percent(share)}`);
  if (malformedShare > 0) dropped.push(`malformed ${percent(malformedShare)}`);
  const lines = [
    `input      ${quantity(storedBytes, "bytes")} in ${numFiles} files; looked at ${quantity(sample.storedBytes, "bytes")} in ${sample.numFiles}`,
    `text       ${between(textBytes, "bytes")}; ${between(documents, "documents")}`,
    `left out   ${dropped.join(", ") || "nothing"} of what was looked at; copies come on top`,
    `tokens     ${between(tokens, "tokens")} (${estimate.bytesPerToken.toFixed(2)} bytes a token, vocabulary ${estimate.vocabSize})`,
    `time       about ${clock(Math.max(1, estimate.seconds))} on this machine${workers > 0 ? ` with ${workers} workers` : ""}`,
    `disk       ${quantity(Math.round(diskBytes), "bytes")}; ${quantity(freeBytes, "bytes")} are free`,
  ];
  if (diskBytes > freeBytes) lines.push("The disk is too small. Choose another --out, or fewer formats.");
  return lines;
}

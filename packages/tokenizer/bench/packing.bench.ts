/**
 * Best-fit packing beside documents laid end to end: `node --conditions=@espalier/source bench/packing.bench.ts <corpus.jsonl.gz>`.
 */
import { END_OF_TEXT, packingStatistics } from "../src/index.ts";
import { cl100k, listCorpusFiles, readDocuments } from "../src/node/index.ts";

const tokenizer = cl100k();
const ends: number[] = [];
let numTokens = 0;
for await (const { bytes } of readDocuments(await listCorpusFiles(process.argv.slice(2)))) ends.push((numTokens += tokenizer.encode(bytes).length + 1)); // and the separator
console.log(`${ends.length} documents, ${numTokens} tokens, ${END_OF_TEXT} behind each`);
for (const seqLen of [1024, 2048, 4096, 8192]) {
  const start = performance.now();
  const { cutShare, concatenatedCutShare, paddingShare, numRows } = packingStatistics(ends, seqLen);
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
  console.log(`T ${seqLen}: ${numRows} rows, cut ${percent(cutShare)} (laid end to end ${percent(concatenatedCutShare)}), padding ${percent(paddingShare)}, ${(performance.now() - start).toFixed(0)} ms`);
}

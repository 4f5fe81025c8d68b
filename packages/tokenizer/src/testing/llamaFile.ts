/** A small `tokenizer.json` as Llama's are: characters, merges over spaces, tokens of bytes, `</s>` behind documents. */
export function llamaFile(): string {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const characters = [..."▁abcdefghijklmnopqrstuvwxyz0123456789.é語"];
  const merges = [["▁", "t"], ["h", "e"], ["▁t", "he"], ["1", "2"], ["▁", "a"], ["e", "n"], ["en", "d"], ["▁", "end"], ["0", "1"], ["語", "▁a"]] as [string, string][];
  const tokens = [...new Set(["<unk>", "<s>", "</s>", ...bytes, ...characters, ...merges.map((pair) => pair.join(""))])];
  const mark = { String: " " };
  return JSON.stringify({
    added_tokens: ["<unk>", "<s>", "</s>"].map((content, id) => ({ id, content })),
    normalizer: { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, { type: "Replace", pattern: mark, content: "▁" }] },
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: "Sequence", decoders: [{ type: "Replace", pattern: { String: "▁" }, content: " " }, { type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", content: " ", start: 1, stop: 0 }] },
    model: { type: "BPE", unk_token: "<unk>", fuse_unk: true, byte_fallback: true, vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
  });
}

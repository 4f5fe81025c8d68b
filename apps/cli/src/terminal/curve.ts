const BLOCKS = "▁▂▃▄▅▆▇█";

/**
 * Values as one row of blocks, first to last, each block the mean of its share of them; the lowest value is the lowest block.
 *
 * @param width blocks at most
 */
export function blocks(values: readonly number[], width: number): string {
  const finite = values.filter(Number.isFinite);
  const count = Math.min(width, finite.length);
  const means = Array.from({ length: count }, (_, i) => {
    const part = finite.slice(Math.floor((i * finite.length) / count), Math.floor(((i + 1) * finite.length) / count));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const level = (value: number) => (high > low ? Math.round(((value - low) / (high - low)) * (BLOCKS.length - 1)) : 0);
  return means.map((value) => BLOCKS[level(value)]).join("");
}

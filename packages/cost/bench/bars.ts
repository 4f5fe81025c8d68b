/** The bars of the cost model, each with what was measured; a bench prints them last and fails when one is missed. */

export interface Bar {
  name: string;
  /** The bar as it is stated. */
  expected: string;
  measured: string;
  holds: boolean;
}

/** Prints the bars and sets the exit code when one does not hold. */
export function reportBars(command: string, bars: readonly Bar[]): void {
  const widths = [Math.max(...bars.map(({ name }) => name.length)), Math.max(...bars.map(({ expected }) => expected.length))] as const;
  console.log(`\nBars (${command})`);
  for (const { name, expected, measured, holds } of bars) console.log(`  ${holds ? "holds " : "MISSED"}  ${name.padEnd(widths[0])}  ${expected.padEnd(widths[1])}  ${measured}`);
  if (bars.some(({ holds }) => !holds)) process.exitCode = 1;
}

/**
 * A process that runs given programs twice and prints how far its resident memory rose at most. The programs were planned
 * elsewhere: tracing leaves tens of megabytes in the JavaScript engine, which come and go as it likes. Linux, and node
 * with --expose-gc. Arguments: a JSON file of the programs to warm up with, and one of those to measure.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type DeviceBuffer, Outputs, type Program, RuntimeInputs } from "@espalier/graph";
import { cpuExecutor } from "@espalier/kernels";

const executor = cpuExecutor({ numThreads: 2 });
const [warmUp, measured] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, "utf8")) as Program[]) as [Program[], Program[]];

/** Bytes of a line of /proc/self/status. */
function status(key: string): number {
  return 1024 * Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8"))![1]);
}

async function twice(programs: readonly Program[]): Promise<void> {
  const buffers = new Map<string, DeviceBuffer>();
  const chunk = new Float32Array(4096).fill(0.01);
  const ready = programs.map((program) => {
    const loaded = executor.load(program);
    for (const { name, region, bytes } of program.tensors) {
      if (region !== "owned") continue;
      const buffer = buffers.get(name) ?? executor.allocate(bytes);
      for (let at = 0; at < bytes; at += chunk.byteLength) buffer.write(chunk.subarray(0, Math.min(chunk.length, (bytes - at) / 4)), at);
      buffers.set(name, buffer);
      loaded.bind(name, buffer);
    }
    const inputs = new RuntimeInputs(program);
    for (const { name, region, dtype } of program.tensors) if (region === "runtime") inputs.set(name, dtype === "i32" ? 1 : 0.5);
    return { loaded, inputs, outputs: new Outputs(program) };
  });
  for (let step = 0; step < 2; step++) for (const { loaded, inputs, outputs } of ready) await loaded.run(inputs.bytes, outputs.bytes);
}

await twice(warmUp);
// The engine gives pages back some time after a collection: wait until it has.
let before = status("VmRSS");
for (let rest = 0; rest < 5; ) {
  globalThis.gc!();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const now = status("VmRSS");
  rest = now < before ? 0 : rest + 1;
  before = now;
}
writeFileSync("/proc/self/clear_refs", "5"); // the peak counts from here
await twice(measured);
console.log(status("VmHWM") - before);

/**
 * Run as a process of its own: runs of one small training step on the emulated CUDA executor, which writes the calls it gets
 * to the file of ESPALIER_EMULATION_TRACE; between the runs this script writes there which run begins. `../cudaStep.test.ts`.
 */
import { appendFileSync } from "node:fs";
import { adamw, differentiate, gradNorm, Graph, linearCrossEntropy, matmul, Outputs, plan, RuntimeInputs, type Tensor } from "@espalier/graph";
import { cudaExecutor } from "../cudaExecutor.ts";
import { emulatedCuda } from "../cudaLibrary.ts";

const [R, C, V] = [8, 16, 20];
const names = ["first", "second", "third"];
const graph = new Graph();
const parameters = names.map((name) => graph.owned(name, [C, C]));
const head = graph.owned("head", [V, C]);
const wrt = [...parameters, head];
let x: Tensor = graph.runtime("x", [R, C]);
for (const parameter of parameters) x = matmul(x, parameter, { transB: true });
const { loss } = linearCrossEntropy(x, head, graph.runtime("targets", [R], "i32"), graph.runtime("weights", [R]));
graph.output("loss", loss);
const gradients = differentiate({ loss, wrt });
const norm = gradNorm([...names, "head"].map((name) => gradients.get(name)!));
const [step, births] = [graph.runtime("step", [2]), graph.runtime("births", [1, 3])];
for (const [i, name] of [...names, "head"].entries()) {
  const shape = name === "head" ? [V, C] : [C, C];
  const state = { parameter: wrt[i]!, m: graph.owned(`m:${name}`, shape), v: graph.owned(`v:${name}`, shape) };
  adamw(state, { gradient: gradients.get(name)!, norm, step, births });
}

const program = plan(graph);
const executor = cudaExecutor({ libraryPath: emulatedCuda() });
const loaded = executor.load(program);
for (const { region, name, bytes } of program.tensors) {
  if (region !== "owned") continue;
  const buffer = executor.allocate(bytes);
  buffer.write(Float32Array.from({ length: bytes / 4 }, (_, i) => (/^[mv]:/.test(name) ? 0 : Math.sin(i + name.length))));
  loaded.bind(name, buffer);
}
const begins = (what: string) => appendFileSync(process.env.ESPALIER_EMULATION_TRACE!, `-- ${what}\n`);
const inputs = new RuntimeInputs(program).set("targets", Int32Array.from({ length: R }, (_, i) => i)).set("weights", 1 / R);
inputs.set("step", [0.01, 1]).set("births", [0.1, 0.05, 1]).set("x", Float32Array.from({ length: R * C }, (_, i) => Math.cos(i)));
const losses: number[] = [];
for (const what of ["launched", "captured", "replayed", "replayed again"]) {
  begins(what);
  const outputs = new Outputs(program);
  await loaded.run(inputs.bytes, outputs.bytes);
  losses.push(outputs.number("loss"));
}
begins("five at once");
await Promise.all(Array.from({ length: 5 }, () => loaded.run(inputs.bytes, new Outputs(program).bytes)));
begins("end");
console.log(JSON.stringify(losses));

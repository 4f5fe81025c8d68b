/** A case of an op with every tensor stored in bf16 that may be, on the emulation. */
import { roundToBf16, RuntimeInputs } from "@espalier/graph";
import { loadAddon } from "../addon.ts";
import { bf16Positions, fromBf16, toBf16 } from "../bf16Storage.ts";
import { emulatedCuda, openLibrary } from "../cudaLibrary.ts";
import { NativeBuffer } from "../nativeBuffer.ts";
import { NativeProgram } from "../nativeProgram.ts";
import { type OpCase, traceCase, type Values, valuesOf } from "./opCase.ts";

/** Positions of the inputs that are stored in bf16; biases and gates of products stay fp32, as parameters are. */
function storedInputs({ op, inputs }: OpCase): number[] {
  return bf16Positions[op]!.inputs.filter((i) => i < inputs.length && inputs[i]!.dtype !== "i32" && (op !== "matmul" || inputs[i]!.shape.length > 1));
}

/** What the reference gets beside it: the inputs that are stored in bf16, rounded. */
export function withRoundedInputs(opCase: OpCase): Record<string, Values> {
  const rounded = (i: number) => (valuesOf(opCase.inputs[i]!, opCase.op, "input", i) as Float32Array).map(roundToBf16);
  return Object.fromEntries(storedInputs(opCase).map((i) => [`input${i}`, rounded(i)]));
}

/** The outputs of a case on the emulation, with every tensor that may be in bf16. */
export async function runInBf16(opCase: OpCase, seed: number): Promise<Float32Array[]> {
  const addon = loadAddon();
  const executor = addon.createExecutor(seed, undefined, -1, openLibrary(emulatedCuda()!));
  const { program: traced } = traceCase(opCase);
  // A case that says so multiplies on tensor cores as well, which no graph asks for: the executor does.
  const rounds: Record<string, number> = opCase.attributes?.bf16 ? { bf16: 1 } : {};
  const program = { ...traced, instructions: traced.instructions.map((node) => ({ ...node, attributes: { ...node.attributes, ...rounds } })) };
  const isOwned = (id: number) => program.tensors[id]!.region === "owned";
  const { inputs, outputs } = program.instructions[0]!;
  const may = bf16Positions[opCase.op]!;
  const wanted = [...storedInputs(opCase).map((i) => inputs[i]!), ...outputs.filter((id, i) => may.outputs.includes(i) && !isOwned(id))];
  const bf16 = new Set(wanted.filter((id) => program.tensors[id]!.dtype === "f32"));
  if (bf16.size === 0) throw new Error(`${opCase.op}: no tensor in bf16`);
  const loaded = new NativeProgram(addon, executor, program, bf16);
  const runtime = new RuntimeInputs(program);
  inputs.forEach((_, i) => runtime.set(`input${i}`, valuesOf(opCase.inputs[i]!, opCase.op, "input", i)));
  inputs.forEach((id, i) => {
    if (!bf16.has(id)) return;
    const half = toBf16(valuesOf(opCase.inputs[i]!, opCase.op, "input", i) as Float32Array);
    runtime.bytes.set(new Uint8Array(half.buffer), program.tensors[id]!.offset);
  });
  const buffers = new Map(outputs.filter(isOwned).map((id) => {
    const i = outputs.indexOf(id);
    const buffer = new NativeBuffer(addon, executor, program.tensors[id]!.bytes);
    buffer.write(valuesOf(opCase.into![i]!, opCase.op, "into", i));
    loaded.bind(`into${i}`, buffer);
    return [id, buffer] as const;
  }));
  const bytes = new Uint8Array(program.outputBytes);
  await loaded.run(runtime.bytes, bytes);
  loaded.free();
  return outputs.map((id) => {
    const buffer = buffers.get(id);
    if (buffer) {
      const values = new Float32Array(buffer.bytes / 4);
      buffer.read(values);
      return values;
    }
    const { offset, shape } = program.tensors[id]!;
    const count = shape.reduce((a, b) => a * b, 1);
    return bf16.has(id) ? fromBf16(new Uint16Array(bytes.buffer, offset, count)) : new Float32Array(bytes.buffer, offset, count);
  });
}

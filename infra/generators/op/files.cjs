/** The files of an op that belong to it alone: path to text. */
module.exports = ({ name, file, type, y, slope }) => ({
  [`packages/graph/src/ops/${name}.ts`]: `import type { Tensor } from "../graph.ts";
import { expectFloats, expectInputs, expectShape } from "../shapes.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";

export const ${name}Op: OpDefinition = {
  name: "${name}",
  attributes: [],
  infer(inputs) {
    expectInputs("${name}", inputs, 1);
    expectFloats("${name}", { x: inputs[0] });
    return [inputs[0]];
  },
  gradient: ({ inputs: [x], dy }) => [${name}Grad(x, dy)],
  flops: perElement(1),
};

export const ${name}GradOp: OpDefinition = {
  name: "${name}Grad",
  attributes: [],
  infer(inputs) {
    expectInputs("${name}Grad", inputs, 2);
    const [x, dy] = inputs;
    expectFloats("${name}Grad", { x, dy });
    expectShape("${name}Grad: dy", dy, x.shape, "It must have the shape of x.");
    return [x];
  },
  flops: perElement(2),
};

/** \`y = ${y.typescript}\` for every element. */
export function ${name}(x: Tensor): Tensor {
  return record(${name}Op, [x])[0];
}

/** Backward of \`${name}\`: \`dx = dy (${slope.typescript})\`. */
export function ${name}Grad(x: Tensor, dy: Tensor): Tensor {
  return record(${name}GradOp, [x, dy])[0];
}
`,
  [`packages/graph/src/ops/${name}.test.ts`]: `import { describe, expect, it } from "vitest";
import { Graph } from "../graph.ts";
import { gradientErrors, lossInputs, lossOn } from "../testing/gradients.ts";
import { ${name} } from "./${name}.ts";
import { scale } from "./scale.ts";

describe("${name}", () => {
  it("has a gradient that agrees with finite differences", async () => {
    const trace = (g: Graph) => {
      const x = g.owned("x", [2, 3]);
      return { loss: lossOn(${name}(scale(x, 1.25))), wrt: [x] };
    };
    expect(Math.max(...Object.values(await gradientErrors(trace, lossInputs(2))))).toBeLessThan(1e-6);
  });
  it("refuses integers", () => {
    const g = new Graph();
    expect(() => ${name}(g.runtime("x", [2], "i32"))).toThrow("${name}: x: dtype is i32, expected f32.");
  });
});
`,
  [`packages/graph/src/reference/${name}.ts`]: `import type { ReferenceOp } from "./call.ts";

/** \`y = ${y.typescript}\` */
export const ${name}: ReferenceOp = ({ inputs: [xs], outputs: [ys] }) => {
  for (let i = 0; i < xs.data.length; i++) {
    const x = xs.data[i];
    ys.data[i] = ${y.typescript};
  }
};

/** \`dx = dy (${slope.typescript})\` */
export const ${name}Grad: ReferenceOp = ({ inputs: [xs, dys], outputs: [dxs] }) => {
  for (let i = 0; i < xs.data.length; i++) {
    const x = xs.data[i];
    dxs.data[i] = dys.data[i] * (${slope.typescript});
  }
};
`,
  [`packages/kernels/native/ops/${file}.h`]: `// ${file}.h -- ${name}: y = ${y.typescript}.   ${name}Grad: dx = dy (${slope.typescript}).
//   y, x, dy, dx: f32, one shape. No aliasing. Overwrites.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {
extern const OpKernel ${file}_kernel;
extern const OpKernel ${file}_grad_kernel;
}  // namespace ESPALIER_ISA
}  // namespace espalier
`,
  [`packages/kernels/native/ops/${file}_cpu.cc`]: `// ${file}_cpu.cc -- see ${file}.h.
#include "ops/${file}.h"

#include "ops/blocks.h"
#include "simd/simd.h"

namespace espalier {
namespace ESPALIER_ISA {
namespace {

void run_${file}(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range range = element_range(call, task_begin, task_end);
  float* y = call.outputs[0].f32() + range.begin;
  const float* xs = call.inputs[0].f32() + range.begin;
  for_each_vector(range.end - range.begin, [&](int64_t i, int64_t lanes) {
    const vf x = load_some(xs + i, lanes);
    store_some(y + i, ${y.vector}, lanes);
  });
}

void run_${file}_grad(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const Range range = element_range(call, task_begin, task_end);
  float* dx = call.outputs[0].f32() + range.begin;
  const float* xs = call.inputs[0].f32() + range.begin;
  const float* dy = call.inputs[1].f32() + range.begin;
  for_each_vector(range.end - range.begin, [&](int64_t i, int64_t lanes) {
    [[maybe_unused]] const vf x = load_some(xs + i, lanes);
    store_some(dx + i, load_some(dy + i, lanes) * (${slope.vector}), lanes);
  });
}

// Operations an element, about.
double work(const OpCall& call) { return 4.0 * static_cast<double>(call.outputs[0].count); }

}  // namespace

const OpKernel ${file}_kernel = {
    "${name}", "", element_tasks, run_${file}, nullptr, nullptr, work, nullptr, nullptr, nullptr,
};
const OpKernel ${file}_grad_kernel = {
    "${name}Grad", "", element_tasks, run_${file}_grad, nullptr, nullptr, work, nullptr, nullptr, nullptr,
};

}  // namespace ESPALIER_ISA
}  // namespace espalier
`,
  [`packages/kernels/native/ops/${file}_cuda.cu`]: `// ${file}_cuda.cu -- see ${file}.h.
#include "ops/${file}.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

struct ${type} {
  Out y;
  In xs;
  template <int W>
  __device__ void at(int64_t i) const {
    float v[W];
    xs.load<W>(i, v);
#pragma unroll
    for (int j = 0; j < W; ++j) {
      const float x = v[j];
      v[j] = ${y.cuda};
    }
    y.store<W>(i, v);
  }
};

struct ${type}Grad {
  Out dx;
  In xs, dy;
  template <int W>
  __device__ void at(int64_t i) const {
    float v[W], d[W];
    xs.load<W>(i, v);
    dy.load<W>(i, d);
#pragma unroll
    for (int j = 0; j < W; ++j) {
      [[maybe_unused]] const float x = v[j];
      d[j] *= ${slope.cuda};
    }
    dx.store<W>(i, d);
  }
};

void launch_${file}(const OpCall& call, const CudaContext& context) {
  launch_elementwise(context, "${name}", ${type}{out(call.outputs[0]), in(call.inputs[0])}, call.outputs[0].count);
}

void launch_${file}_grad(const OpCall& call, const CudaContext& context) {
  launch_elementwise(context, "${name}Grad", ${type}Grad{out(call.outputs[0]), in(call.inputs[0]), in(call.inputs[1])}, call.outputs[0].count);
}

}  // namespace

const OpKernel ${file}_kernel = cuda_op("${name}", "", launch_${file});
const OpKernel ${file}_grad_kernel = cuda_op("${name}Grad", "", launch_${file}_grad);

}  // namespace cuda
}  // namespace espalier
`,
});

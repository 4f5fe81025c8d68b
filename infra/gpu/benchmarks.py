"""Speeds through the C interface: products, attention and memory-bound kernels, beside what the device can do and, where
PyTorch is present, beside PyTorch on the same device, in turns.

Every row: {name, unit, value, spread, bound, boundWhat, rival?}. Times are the device's own events around each instruction
(`espalier_program_profile`); a program repeats its instruction, since one is too short to time.
"""
import ctypes as c
import random
import statistics
from array import array

from cases import bf16_positions
from espalier_abi import BF16, F32, Program, Tensor

# Dense bf16 of one device, from NVIDIA's data sheets (H100/H200 SXM: 989.4 TFLOP/s).
PEAK_TFLOPS = {"H100": 989.4, "H200": 989.4, "GH200": 989.4, "A100": 312.0, "B200": 2250.0}


def copy_bandwidth(size=1 << 30, repeats=20):
    """Bytes read and written a second by a copy on the device, by the driver; None without a driver."""
    try:
        cuda = c.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, context, source, target = c.c_int(), c.c_void_p(), c.c_uint64(), c.c_uint64()
    events = [c.c_void_p(), c.c_void_p()]
    milliseconds = c.c_float()
    steps = [cuda.cuInit(0), cuda.cuDeviceGet(c.byref(device), 0), cuda.cuDevicePrimaryCtxRetain(c.byref(context), device),
             cuda.cuCtxSetCurrent(context), cuda.cuMemAlloc_v2(c.byref(source), c.c_size_t(size)), cuda.cuMemAlloc_v2(c.byref(target), c.c_size_t(size))]
    steps += [cuda.cuEventCreate(c.byref(event), 0) for event in events]
    if any(steps):
        return None
    rates = []
    for _ in range(repeats):
        cuda.cuEventRecord(events[0], None)
        cuda.cuMemcpyDtoDAsync_v2(target, source, c.c_size_t(size), None)
        cuda.cuEventRecord(events[1], None)
        cuda.cuEventSynchronize(events[1])
        cuda.cuEventElapsedTime_v2(c.byref(milliseconds), events[0], events[1]) if hasattr(cuda, "cuEventElapsedTime_v2") else cuda.cuEventElapsedTime(c.byref(milliseconds), events[0], events[1])
        rates.append(2 * size / milliseconds.value * 1e3)
    cuda.cuMemFree_v2(source), cuda.cuMemFree_v2(target)
    return statistics.median(rates[3:])


def numbers(count):
    """Normal numbers: a GPU fed with zeros draws less power and runs faster."""
    stream = random.Random(1)
    return array("f", [stream.gauss(0.0, 1.0) for _ in range(count)])


class Timed:
    """One op at one size, ready to be timed."""

    def __init__(self, library, op, attributes, inputs, outputs, repeats, stored=None):
        in_bf16, out_bf16 = stored or ((), ())
        tensors = [(t.shape, BF16 if i in in_bf16 else t.dtype) for i, t in enumerate(inputs)]
        tensors += [(shape, BF16 if i in out_bf16 else F32) for i, shape in enumerate(outputs)]
        self.program = Program(library, op, attributes, tensors, len(inputs), repeats)
        self.repeats = repeats
        for i, tensor in enumerate(inputs):
            self.program.fill(i, numbers(min(tensor.count, 1 << 16))) if tensor.value is None else self.program.write(i, tensor.values(0))
        self.program.run()  # launches and times each; the second captures, the third replays
        self.program.run()

    def milliseconds(self):
        before = self.program.seconds()
        self.program.run()
        return (self.program.seconds() - before) / self.repeats * 1e3

    def free(self):
        self.program.free()


def row(name, unit, samples, work, scale, bound, bound_what, rival=None):
    rates = sorted(work / ms * scale for ms in samples)
    value = statistics.median(rates)
    return {"name": name, "unit": unit, "value": value, "low": rates[0], "high": rates[-1], "bound": bound, "boundWhat": bound_what,
            "share": value / bound if bound else None, "rival": rival}


PLAIN = dict(transA=0, transB=1, alpha=1, accumulate=0, bias=0, gelu=0, gate=0, residual=0, savePre=0, bf16=1)


def weight_gradients(library, peak, small, rounds):
    """Gradients of a weight [M, N] over K tokens: alone, and with that of the bias beside it."""
    def timed(M, N, K, biasGrad):
        attributes = {**PLAIN, "transA": 1, "transB": 0, **({"biasGrad": 1} if biasGrad else {})}
        program = Timed(library, "matmul", attributes, [Tensor((K, M)), Tensor((K, N))], [(M, N)] + [(M,)] * biasGrad, 4, ((0, 1), ()))
        samples = [program.milliseconds() for _ in range(rounds)]
        program.free()
        return [row(f"matmul dW {M}x{N}x{K} bf16{' and bias' if biasGrad else ''}", "TFLOP/s", samples, 2.0 * M * N * K, 1e-9, peak, "data sheet")]

    for shape in [(64, 64, 64)] if small else [(768, 768, 32768), (3072, 768, 32768), (1600, 6400, 16384)]:
        for biasGrad in (0, 1):
            yield f"matmul dW {shape} {biasGrad}", lambda shape=shape, biasGrad=biasGrad: timed(*shape, biasGrad)


def products(library, peak, small, rounds, torch):
    def timed_product(M, N, K):
        timed = Timed(library, "matmul", PLAIN, [Tensor((M, K)), Tensor((N, K))], [(M, N)], 4, ((0, 1), (0,)))
        rival = torch.product(M, N, K) if torch else None
        samples, theirs = [], []
        for _ in range(rounds):
            samples.append(timed.milliseconds())
            if rival:
                theirs.append(rival())
        timed.free()
        flops = 2.0 * M * N * K
        return [row(f"matmul {M}x{N}x{K} bf16", "TFLOP/s", samples, flops, 1e-9, peak, "data sheet",
                    flops / statistics.median(theirs) * 1e-9 if theirs else None)]

    for shape in [(64, 64, 64)] if small else [(8192, 8192, 8192), (32768, 3072, 768), (32768, 768, 3072), (16384, 6400, 1600)]:
        yield f"matmul {shape}", lambda shape=shape: timed_product(*shape)


def attentions(library, peak, small, rounds, torch):
    def timed_attention(B, T, N, D):
        q = Tensor((B, T, N, D))
        lse = Tensor((B, N, T), lambda i: 9.0) if small else Tensor((B, N, T))
        a = dict(scale=D ** -0.5, bf16=1)
        positions = bf16_positions()
        forward = Timed(library, "causalAttention", a, [q, q, q], [(B, T, N, D), (B, N, T)], 4, positions["causalAttention"])
        backward = Timed(library, "causalAttentionGrad", a, [q, q, q, q, lse, q], [(B, T, N, D)] * 3, 4, positions["causalAttentionGrad"])
        rivals = torch.attention(B, T, N, D) if torch else None
        samples, theirs = ([], []), ([], [])
        for _ in range(rounds):
            for i, timed in enumerate((forward, backward)):
                samples[i].append(timed.milliseconds())
                if rivals:
                    theirs[i].append(rivals[i]())
        forward.free(), backward.free()
        flops = 2.0 * B * N * T * T * D  # causal: half of 4 B N T T D
        return [row(f"{name} B{B} T{T} N{N} D{D} bf16", "TFLOP/s", samples[i], work, 1e-9, peak, "data sheet",
                    work / statistics.median(theirs[i]) * 1e-9 if theirs[i] else None)
                for i, (name, work) in enumerate((("causalAttention", flops), ("causalAttentionGrad", 2.5 * flops)))]

    for shape in [(1, 64, 1, 64)] if small else [(32, 1024, 12, 64), (8, 4096, 16, 128)]:
        yield f"attention {shape}", lambda shape=shape: timed_attention(*shape)


def memory_bound(library, bandwidth, small, rounds, pattern):
    R, C = (64, 64) if small else (32768, 1600)
    x = Tensor((R, C))
    gain = Tensor((C,))
    count = R * C
    big = Tensor((1 << 12,) if small else (1 << 27,))
    scalar = [Tensor((1,), lambda _: 1.0), Tensor((2,), lambda i: [1e-4, 1.0][i]), Tensor((1, 3), lambda _: 0.5)]
    rows = [  # op, attributes, inputs, outputs, bytes
        ("scale", dict(factor=1.5), [x], [(R, C)], 8 * count),
        ("add", {}, [x, x], [(R, C)], 12 * count),
        ("gelu", {}, [x], [(R, C)], 8 * count),
        ("geluGrad", {}, [x, x], [(R, C)], 12 * count),
        ("swiglu", {}, [x, x], [(R, C)], 12 * count),
        ("layerNorm", dict(epsilon=1e-5), [x, gain, gain], [(R, C), (R,), (R,)], 8 * count),
        ("layerNormGrad", {}, [x, x, Tensor((R,)), Tensor((R,)), gain], [(R, C)], 12 * count),
        ("addLayerNorm", dict(epsilon=1e-5), [x, x, gain, gain], [(R, C), (R,), (R,), (R, C)], 16 * count),
        ("layerNormGradAdd", {}, [x, x, Tensor((R,)), Tensor((R,)), gain, x], [(R, C)], 16 * count),
        ("rmsNorm", dict(epsilon=1e-5), [x, gain], [(R, C), (R,)], 8 * count),
        ("columnSum", dict(accumulate=0), [x], [(C,)], 4 * count),
        ("gradNorm", {}, [big], [(1,)], 4 * big.count),
        ("adamw", dict(beta1=0.9, beta2=0.95, epsilon=1e-8, weightDecay=0.1, rateScale=1), [big, *scalar], [big.shape] * 3, 28 * big.count),
    ]
    positions = bf16_positions()
    for op, attributes, inputs, outputs, size in rows:
        if pattern not in op:
            continue
        def timed_op(op, attributes, inputs, outputs, size, stored):
            timed = Timed(library, op, attributes, inputs, outputs, 8, stored)
            samples = [timed.milliseconds() for _ in range(rounds)]
            timed.free()
            # What is counted is x, y and their gradients, all of them stored in bf16 where any is.
            name, moved = (f"{op} bf16", size / 2) if stored else (op, size)
            return [row(name, "GB/s", samples, moved, 1e-6, bandwidth and bandwidth * 1e-9, "copy on the device")]

        for stored in (None, positions.get(op)) if op in positions else (None,):
            given = (op, attributes, inputs, outputs, size, stored)
            yield f"{op}{' bf16' if stored else ''}", lambda given=given: timed_op(*given)


def all_work(library, device, small=False, torch=None, pattern=""):
    """(title, work) of the benchmarks whose first word has `pattern`; `small`: tiny sizes, to see that it works."""
    rounds = 3 if small else 12
    peak = next((tflops for name, tflops in PEAK_TFLOPS.items() if name in device), None)
    bandwidth = None if small else copy_bandwidth()
    if bandwidth:
        copied = {"name": "copy", "unit": "GB/s", "value": bandwidth * 1e-9, "bound": None, "boundWhat": "", "share": None, "rival": None}
        yield "copy", lambda: [copied]
    if pattern in "matmul":
        yield from products(library, peak, small, rounds, torch)
        yield from weight_gradients(library, peak, small, rounds)
    if pattern in "causalAttentionGrad":
        yield from attentions(library, peak, small, rounds, torch)
    yield from memory_bound(library, bandwidth, small, rounds, pattern)

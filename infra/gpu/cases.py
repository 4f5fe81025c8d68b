"""Cases of every op for a GPU against the CPU kernels: shapes with tails everywhere, every flag, and one size that fills a GPU.

The contract of the ops is docs/ops.md; the larger set of cases, against a reference in double precision, runs in every test
run under the emulation (packages/kernels/src/ops.test.ts).
"""
import re
from pathlib import Path

from espalier_abi import F32, I32, Case, Tensor

T = Tensor
STORAGE = Path(__file__).resolve().parents[2] / "packages" / "kernels" / "src" / "bf16Storage.ts"


def bf16_positions():
    """Inputs and outputs of each op that may be bf16 in memory: the table of bf16Storage.ts."""
    numbers = lambda text: tuple(int(number) for number in re.findall(r"\d+", text))
    rows = re.findall(r"^  (\w+): \{ inputs: \[([^\]]*)\], outputs: \[([^\]]*)\] \},$", STORAGE.read_text(), re.M)
    return {op: (numbers(inputs), numbers(outputs)) for op, inputs, outputs in rows}


def stored_in_bf16(case, positions):
    """Positions of the case's tensors that are stored in bf16; parameters, and what is updated in place, stay fp32."""
    inputs, outputs = positions[case.op]
    kept = [i for i in inputs if i < len(case.inputs) and case.inputs[i].dtype == F32 and (case.op != "matmul" or len(case.inputs[i].shape) > 1)]
    return kept, [i for i in outputs if i < len(case.outputs) and i not in case.into]


def words(shape, count):
    return T(shape, lambda i: (i * 31 + i // 7) % count, I32)


def flag(value):
    return T((1,), lambda _: value, I32)


def positive(shape):
    return T(shape, lambda i: 0.01 + (i % 11) / 50)


def gains(C):
    return T((C,), lambda i: 1 + 0.1 * ((i * 7) % 5 - 2))


PLAIN = dict(transA=0, transB=0, alpha=1, accumulate=0, bias=0, gelu=0, gate=0, residual=0, savePre=0)


def matmul(M, N, K, large=False, **options):
    a = {**PLAIN, **options}
    inputs = [T((K, M) if a["transA"] else (M, K)), T((N, K) if a["transB"] else (K, N))]
    inputs += [T((N,))] * bool(a["bias"]) + [T((N,))] * bool(a["gate"]) + [T((M, N))] * (bool(a["residual"]) + bool(a.get("geluGrad")))
    if a["accumulate"] == 2:
        inputs.append(flag(1))
    note = f"{M}x{N}x{K} " + " ".join(f"{k}={v}" for k, v in options.items())
    outputs = [(M, N)] * (2 if a["savePre"] else 1) + {0: [], 1: [(M,)], 2: [(N,)]}[a.get("biasGrad", 0)]
    return Case("matmul", inputs, outputs, a, {i: T(shape) for i, shape in enumerate(outputs)} if a["accumulate"] else {},
                4e-6 if not large else 1e-5, note)


def matmuls():
    for bf16 in ({}, {"bf16": 1}):
        for ta in (0, 1):
            for tb in (0, 1):
                yield matmul(37, 45, 70, transA=ta, transB=tb, **bf16)
                yield matmul(136, 144, 264, transA=ta, transB=tb, **bf16)
        yield matmul(1, 1, 1, **bf16)
        yield matmul(30, 50, 20, transB=1, bias=1, gelu=1, savePre=1, **bf16)
        yield matmul(130, 40, 48, **bf16, geluGrad=1)
        yield matmul(130, 40, 48, transB=1, bias=1, gelu=1, gate=1, residual=1, savePre=1, alpha=0.5, **bf16)
        yield matmul(24, 56, 300, transA=1, accumulate=1, **bf16)
        yield matmul(24, 56, 300, transA=1, accumulate=2, **bf16)
        for of in (1, 2):
            yield matmul(140, 270, 330, transA=1, biasGrad=of, **bf16)
            yield matmul(24, 56, 300, transA=1, accumulate=2, biasGrad=of, **bf16)
        yield matmul(256, 384, 512, large=True, transB=1, bias=1, residual=1, **bf16)


def norms(C):
    R = 37
    x, c = T((R, C)), positive((C,))
    note = f"[{R}, {C}]"
    stats = [T((R,)), positive((R,))]
    for weighted in ([], [c]):
        yield Case("layerNorm", [x, gains(C), T((C,))] + weighted, [(R, C), (R,), (R,)], dict(epsilon=1e-5), note=note, tolerance=2e-6)
        yield Case("rmsNorm", [x, gains(C)] + weighted, [(R, C), (R,)], dict(epsilon=1e-5), note=note, tolerance=2e-6)
        yield Case("layerNormGrad", [T((R, C)), x, *stats, gains(C)] + weighted, [(R, C)], note=note, tolerance=4e-6)
        yield Case("rmsNormGrad", [T((R, C)), x, stats[1], gains(C)] + weighted, [(R, C)], note=note, tolerance=4e-6)
        yield Case("addLayerNorm", [T((R, C)), x, gains(C), T((C,))] + weighted, [(R, C), (R,), (R,), (R, C)], dict(epsilon=1e-5), note=note, tolerance=2e-6)
        yield Case("addRmsNorm", [T((R, C)), x, gains(C)] + weighted, [(R, C), (R,), (R, C)], dict(epsilon=1e-5), note=note, tolerance=2e-6)
        yield Case("layerNormGradAdd", [T((R, C)), x, *stats, gains(C), T((R, C))] + weighted, [(R, C)], note=note, tolerance=4e-6)
        yield Case("rmsNormGradAdd", [T((R, C)), x, stats[1], gains(C), T((R, C))] + weighted, [(R, C)], note=note, tolerance=4e-6)
        has = dict(accumulate=0, hasMean=1, hasChannelWeights=len(weighted))
        yield Case("normParameterGrad", [T((R, C)), x, *stats] + weighted, [(C,), (C,)], has, note=note, tolerance=4e-6)


def attention(B, L, N, G, D, bf16=0, lengths=None, document=None):
    q, k, v, y = T((B, L, N, D)), T((B, L, G, D)), T((B, L, G, D)), T((B, L, N, D))
    live = [T((B,), lambda b: lengths[b], I32)] if lengths else []
    if document:  # documents of that many positions, each seen by itself alone
        live.append(T((B, L), lambda i: i % L - i % L % document, I32))
    lse = T((B, N, L), lambda i: 5 + (i % 3))
    a = dict(scale=D ** -0.5, **({"bf16": 1} if bf16 else {}))
    note = f"B {B} T {L} N {N} G {G} D {D}{' with lengths' if lengths else ''}{f' and documents of {document}' if document else ''}{' bf16' if bf16 else ''}"
    loose = 2e-2 if bf16 else 5e-6  # the CPU multiplies fp32 factors
    yield Case("causalAttention", [q, k, v] + live, [(B, L, N, D), (B, N, L)], a, note=note, tolerance=loose)
    yield Case("causalAttentionGrad", [q, k, v, y, lse, T((B, L, N, D))] + live, [(B, L, N, D), (B, L, G, D), (B, L, G, D)], a, note=note, tolerance=loose)


def attentions():
    yield from attention(1, 1, 1, 1, 8)
    yield from attention(2, 70, 4, 2, 20)
    yield from attention(2, 65, 2, 1, 64, lengths=[40, 65])
    for D in (64, 128):
        yield from attention(2, 130, 4, 2, D, bf16=1)
        yield from attention(2, 97, 2, 2, D, bf16=1, lengths=[64, 13])
        yield from attention(1, 512, 2, 1, D, bf16=1)
        yield from attention(2, 410, 2, 1, D, bf16=1, lengths=[410, 333], document=170)


def losses(R, V, C, bf16):
    rest = [T((R,), lambda i: -1 if i % 7 == 3 else (i * 31) % V, I32), T((R,), lambda i: (1 + i % 3) / (2 * R))]
    x, head = T((R, C)), T((V, C))
    p = {"bf16": 1} if bf16 else {}
    note = f"R {R} V {V} C {C}{' bf16' if bf16 else ''}"
    scalars = [(1,), (R,), (R,), (R,)]
    loose = 2e-2 if bf16 else 1e-5  # g is rounded, and a last bit decides which way
    yield Case("linearCrossEntropy", [x, head, *rest], scalars, dict(factor=0.7, **p), note=note, tolerance=1e-5)
    yield Case("linearCrossEntropyGrad", [x, head, *rest, T((R,), lambda i: 9.0)], [(R, C), (V, C)], dict(factor=0.7, accumulate=0, **p), note=note, tolerance=loose)
    yield Case("linearCrossEntropyWithGrad", [x, head, *rest, flag(1)], scalars + [(R, C), (V, C)], dict(factor=0.7, accumulate=2, **p),
               {5: T((V, C))}, loose, note)


def pointwise(shape):
    x, dy, N = T(shape), T(shape), shape[-1]
    mask = T((1,), lambda _: 0.3)
    for op in ("gelu", "geluErf"):
        yield Case(op, [x], [shape], tolerance=2e-6)
        yield Case(op + "Grad", [x, dy], [shape], tolerance=2e-6)
    yield Case("swiglu", [x, dy], [shape], tolerance=2e-6)
    yield Case("swigluGrad", [x, dy, T(shape)], [shape, shape], tolerance=2e-6)
    yield Case("add", [x, dy], [shape], tolerance=1e-7)
    yield Case("scale", [x], [shape], dict(factor=0.37), tolerance=1e-7)
    yield Case("scaleColumns", [x, T((N,))], [shape], tolerance=1e-7)
    yield Case("addBias", [x, T((N,))], [shape], tolerance=1e-7)
    yield Case("columnSum", [dy], [(N,)], dict(accumulate=0), tolerance=2e-6)
    yield Case("blend", [x, dy, mask], [shape], tolerance=1e-6)
    yield Case("blendGrad", [dy, mask], [shape, shape], tolerance=1e-6)


def others():
    V, C = 41, 24
    yield Case("embedding", [words((3, 7), V), T((V, C))], [(3, 7, C)], dict(factor=0.5), tolerance=0)
    yield Case("embeddingGrad", [words((3, 7), V), T((3, 7, C))], [(V, C)], dict(factor=0.5, accumulate=0), tolerance=1e-6)
    yield Case("embeddingGrad", [words((8, 130), V), T((8, 130, 64)), flag(1)], [(V, 64)], dict(factor=1, accumulate=2), {0: T((V, 64))}, 2e-6, "adding")
    turn = dict(base=10000, scaleBase=8, gamma=0.4, centre=4)
    for kind in (0, 1):
        for inverse in (0, 1):
            yield Case("rotary", [T((2, 9, 3, 8))], [(2, 9, 3, 8)], dict(kind=kind, side=1, **turn, inverse=inverse), tolerance=4e-6)
    yield Case("rotaryAngles", [T((5,), lambda i: 3 * i, I32)], [(5, 2, 4)], dict(numPairs=4, kind=1, side=-1, **turn), tolerance=4e-6)
    yield Case("rotaryAt", [T((5, 3, 8)), T((5, 2, 4))], [(5, 3, 8)], tolerance=1e-6)
    yield Case("gatherRows", [T((3, 7, C)), T((3,), lambda i: 2 * i, I32)], [(3, C)], tolerance=0)
    yield Case("writeRows", [T((4, C)), T((4,), lambda i: [5, -1, 0, 2][i], I32)], [(6, C)], {}, {0: T((6, C))}, 0)
    cached = [T((3, 4, 16)), T((20, 2, 16)), T((20, 2, 16)), T((3,), lambda i: [4, 0, 9][i], I32), T((3,), lambda i: 10 * (i == 2), I32), words((20,), 20)]
    yield Case("cachedAttention", cached, [(3, 4, 16)], dict(scale=0.25), tolerance=5e-6)
    yield Case("gradNorm", [T((7,)), T((333, 600)), T((2, 3, 5))], [(1,)], tolerance=1e-6)
    for shape, births in (((5, 33), []), ((300, 130), [words((300,), 3), words((130,), 3)])):
        inputs = [T(shape), T((1,), lambda _: 2), T((2,), lambda i: [0.01, 1][i]), T((3, 3), lambda i: [0.9, 0.8, 1, 0.5, 0.4, 0.7, 0.1, 0.05, 0.2][i])]
        yield Case("adamw", inputs + births, [shape] * 3, dict(beta1=0.9, beta2=0.95, epsilon=1e-8, weightDecay=0.1, rateScale=0.5),
                   {0: T(shape), 1: T(shape), 2: positive(shape)}, 2e-6)


def all_cases():
    yield from matmuls()
    for C in (24, 100, 768):
        yield from norms(C)
    yield from attentions()
    for bf16 in (0, 1):
        yield from losses(61, 130, 48, bf16)
        yield from losses(30, 1100, 17, bf16)
    yield from pointwise((5, 33))
    yield from pointwise((64, 256))
    yield from others()

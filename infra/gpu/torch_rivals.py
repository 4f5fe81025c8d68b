"""PyTorch on the same device: its answers beside ours, and its times. Imported only where PyTorch with CUDA is present."""
import torch
import torch.nn.functional as F

from espalier_abi import Case, Tensor, largest_error, run


def version():
    return f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}"


def _timer(body):
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    for _ in range(3):
        body()

    def milliseconds(repeats=4):
        begin.record()
        for _ in range(repeats):
            body()
        end.record()
        torch.cuda.synchronize()
        return begin.elapsed_time(end) / repeats

    return milliseconds


def product(M, N, K):
    """Milliseconds of torch's bf16 product of bf16 tensors."""
    a = torch.randn(M, K, device="cuda", dtype=torch.bfloat16)
    b = torch.randn(N, K, device="cuda", dtype=torch.bfloat16)
    return _timer(lambda: F.linear(a, b))


def attention(B, T, N, D):
    """Milliseconds of causal attention of bf16 tensors, forward and backward."""
    q, k, v = (torch.randn(B, N, T, D, device="cuda", dtype=torch.bfloat16, requires_grad=True) for _ in range(3))
    forward = lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)
    y = forward()
    dy = torch.randn_like(y)
    return _timer(forward), _timer(lambda: torch.autograd.grad(y, (q, k, v), dy, retain_graph=True))


def _given(case):
    return [torch.tensor(t.values(f"{case.op} input {i}"), device="cuda").reshape(t.shape) for i, t in enumerate(case.inputs)]


def agreement(library):
    """(title, error, tolerance) of ops against torch's own in fp64."""
    R, C, V = 37, 96, 130
    B, T, N, D = 2, 70, 2, 64
    cases = [
        (Case("gelu", [Tensor((R, C))], [(R, C)]), lambda x: F.gelu(x, approximate="tanh"), 2e-6),
        (Case("layerNorm", [Tensor((R, C)), Tensor((C,)), Tensor((C,))], [(R, C), (R,), (R,)], dict(epsilon=1e-5)), lambda x, g, b: F.layer_norm(x, (C,), g, b, 1e-5), 2e-6),
        (Case("matmul", [Tensor((R, C)), Tensor((V, C))], [(R, V)], dict(transA=0, transB=1, alpha=1, accumulate=0, bias=0, gelu=0, gate=0, residual=0, savePre=0)), F.linear, 4e-6),
        (Case("causalAttention", [Tensor((B, T, N, D))] * 3, [(B, T, N, D), (B, N, T)], dict(scale=D ** -0.5, bf16=1)),
         lambda q, k, v: F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=True).transpose(1, 2), 2e-2),
    ]
    for case, theirs, tolerance in cases:
        expected = theirs(*(x.double() for x in _given(case))).flatten().tolist()
        yield case.title, largest_error(expected, run(library, case)[0]), tolerance

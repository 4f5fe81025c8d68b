"""Whole training steps of a minimal GPT in PyTorch: tied head, masked attention, tanh GELU, AdamW, fp32.

One request a line, `model L C heads V T B threads` or `step count`, one line of numbers back: seconds of each step.
`attention B T heads D threads seconds` answers with seconds of forward and backward of masked softmax attention.
Learned positions stand in for rotary ones.
"""
import math
import os
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

now = time.process_time if os.environ.get("ESPALIER_BENCH_CLOCK") == "cpu" else time.perf_counter


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, mask):
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        x = x + self.out(attend(q, k, v, mask).transpose(1, 2).reshape(b, t, c))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


def attend(q, k, v, mask):
    if hasattr(F, "scaled_dot_product_attention"):  # PyTorch 2
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    scores = (q @ k.transpose(-2, -1)) / math.sqrt(q.shape[-1])
    return torch.softmax(scores.masked_fill(mask, float("-inf")), -1) @ v


class Model(nn.Module):
    def __init__(self, layers, width, heads, vocabulary, length):
        super().__init__()
        self.embedding, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.register_buffer("mask", torch.triu(torch.ones(length, length, dtype=torch.bool), 1))
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens, targets):
        x = self.embedding(tokens) + self.positions.weight
        for block in self.blocks:
            x = block(x, self.mask)
        logits = self.norm(x) @ self.embedding.weight.T
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def timed_attention(b, t, heads, d, seconds):
    q, k, v = (torch.randn(b, heads, t, d, requires_grad=True) for _ in range(3))
    mask = torch.triu(torch.ones(t, t, dtype=torch.bool), 1)
    end = now() + seconds
    while True:
        start = now()
        y = attend(q, k, v, mask)
        y.backward(torch.ones_like(y))
        yield now() - start
        q.grad = k.grad = v.grad = None
        if now() > end:
            return


def answer(times):
    print(" ".join(f"{t:.9g}" for t in times), flush=True)


def main():
    model = optimizer = tokens = targets = None
    for line in sys.stdin:
        kind, *rest = line.split()
        if kind == "attention":
            b, t, heads, d, threads = map(int, rest[:5])
            torch.set_num_threads(threads)
            answer(timed_attention(b, t, heads, d, float(rest[5])))
        elif kind == "model":
            layers, width, heads, vocabulary, length, batch, threads = map(int, rest)
            torch.set_num_threads(threads)
            torch.manual_seed(1)
            model = Model(layers, width, heads, vocabulary, length)
            optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
            tokens = torch.randint(vocabulary, (batch, length))
            targets = torch.randint(vocabulary, (batch, length))
            answer([0.0])
        elif kind == "step":
            times = []
            for _ in range(int(rest[0])):
                start = now()
                loss = model(tokens, targets)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                times.append(now() - start)
            answer(times)


main()

"""The rival of score.bench.ts: log-likelihoods of requests by a plain PyTorch loop with batching.

    python3 score_rival.py CHECKPOINT_DIR REQUESTS_JSON THREADS

A Hugging Face Llama directory of one safetensors file in fp32. Requests are [context ids, continuation ids]. They are
sorted by length, longest first, padded to the longest of their batch, and scored as lm-evaluation-harness does it: one
forward pass with logits at every position, log_softmax, gather. Each line "run BATCH HEAD" on stdin answers one line of
JSON: seconds and the log-likelihoods. HEAD "all": logits at every position; "scored": at positions that are scored only.
"""
import json
import math
import sys
import time

import torch

directory, requests_file, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(threads)
config = json.load(open(directory + "/config.json"))
requests = json.load(open(requests_file))

with open(directory + "/model.safetensors", "rb") as f:
    size = int.from_bytes(f.read(8), "little")
    header = json.loads(f.read(size))
    data = bytearray(f.read())
weights = {}
for name, entry in header.items():
    if name == "__metadata__":
        continue
    assert entry["dtype"] == "F32", entry
    first, last = entry["data_offsets"]
    weights[name] = torch.frombuffer(data[first:last], dtype=torch.float32).reshape(entry["shape"])

N, G = config["num_attention_heads"], config["num_key_value_heads"]
D = config.get("head_dim") or config["hidden_size"] // N
theta = config.get("rope_theta", 10000.0)
eps = config["rms_norm_eps"]
head = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])


def norm(x, weight):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


def turned(x, cos, sin):
    low, high = x[..., : D // 2], x[..., D // 2 :]
    return x * cos + torch.cat([-high, low], -1) * sin


def hidden_states(tokens):
    B, T = tokens.shape
    angles = torch.arange(T)[:, None] * theta ** (-torch.arange(0, D, 2) / D)
    cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)
    mask = torch.full((T, T), -math.inf).triu(1)
    h = weights["model.embed_tokens.weight"][tokens]
    for layer in range(config["num_hidden_layers"]):
        w = lambda name: weights[f"model.layers.{layer}.{name}.weight"]
        x = norm(h, w("input_layernorm"))
        q = (x @ w("self_attn.q_proj").T).view(B, T, N, D).transpose(1, 2)
        k = (x @ w("self_attn.k_proj").T).view(B, T, G, D).transpose(1, 2)
        v = (x @ w("self_attn.v_proj").T).view(B, T, G, D).transpose(1, 2)
        q, k = turned(q, cos, sin), turned(k, cos, sin)
        k, v = k.repeat_interleave(N // G, 1), v.repeat_interleave(N // G, 1)
        p = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(D) + mask, -1)
        h = h + (p @ v).transpose(1, 2).reshape(B, T, N * D) @ w("self_attn.o_proj").T
        x = norm(h, w("post_attention_layernorm"))
        h = h + (torch.nn.functional.silu(x @ w("mlp.gate_proj").T) * (x @ w("mlp.up_proj").T)) @ w("mlp.down_proj").T
    return norm(h, weights["model.norm.weight"])


@torch.no_grad()
def score(batch_size, every_position):
    order = sorted(range(len(requests)), key=lambda i: -len(requests[i][0]) - len(requests[i][1]))
    answers = [0.0] * len(requests)
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        rows = [requests[i][0] + requests[i][1] for i in batch]
        longest = max(map(len, rows)) - 1
        tokens = torch.zeros(len(rows), longest, dtype=torch.long)
        for b, row in enumerate(rows):
            tokens[b, : len(row) - 1] = torch.tensor(row[:-1])
        states = hidden_states(tokens)
        logprobs = torch.log_softmax(states @ head.T, -1) if every_position else None
        for b, i in enumerate(batch):
            context, continuation = requests[i]
            first, last = len(context) - 1, len(rows[b]) - 1
            scores = logprobs[b, first:last] if every_position else torch.log_softmax(states[b, first:last] @ head.T, -1)
            answers[i] = scores.gather(1, torch.tensor(continuation)[:, None]).sum().item()
    return answers


print("ready", torch.__version__, flush=True)
for line in sys.stdin:
    _, batch_size, which = line.split()
    begin = time.perf_counter()
    answers = score(int(batch_size), which == "all")
    print(json.dumps({"seconds": time.perf_counter() - begin, "answers": answers}), flush=True)

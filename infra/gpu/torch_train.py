"""PyTorch's training of the model of a plan, for `infra/gpu/train --beside-torch`: torch.compile, flash attention, fused AdamW,
bf16 by autocast, on random tokens. Prints one JSON line: tokens per second of each step after the first quarter.

    python3 torch_train.py plan.json STEPS
"""
import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, C, heads, H):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(C), nn.LayerNorm(C)
        self.qkv, self.output = nn.Linear(C, 3 * C), nn.Linear(C, C)
        self.up, self.down = nn.Linear(C, H), nn.Linear(H, C)

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (each.view(B, T, self.heads, C // self.heads).transpose(1, 2) for each in self.qkv(self.norm1(x)).split(C, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.output(y.transpose(1, 2).reshape(B, T, C))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Model(nn.Module):
    """GPT-2: learned positions, LayerNorm before each block, tied head."""

    def __init__(self, model):
        super().__init__()
        C = model["residualDim"]
        heads = model["numKvHeads"] * model["groupSize"]
        self.embedding, self.positions = nn.Embedding(model["vocabSize"], C), nn.Embedding(model["seqLen"], C)
        self.blocks = nn.ModuleList(Block(C, heads, model["ffnDim"]) for _ in range(model["numLayers"]))
        self.norm = nn.LayerNorm(C)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=model["initStd"])

    def forward(self, tokens, targets):
        x = self.embedding(tokens) + self.positions(torch.arange(tokens.shape[1], device=tokens.device))
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.norm(x), self.embedding.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def main():
    plan, steps = json.load(open(sys.argv[1])), int(sys.argv[2])
    model_config, B, accumulated = plan["stages"][0]["model"], plan["microBatchSize"], plan["gradAccumSteps"]
    if model_config["family"] != "flm" or model_config["position"]["kind"] != "learned":
        raise SystemExit("torch_train: expected a GPT-2 shape (infra/gpu/gpt2Plan.ts).")
    torch.manual_seed(1)
    torch.set_float32_matmul_precision("high")
    model = Model(model_config).cuda()
    compiled = torch.compile(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    shape = (B, model_config["seqLen"] + 1)
    rates = []
    for step in range(steps):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        for _ in range(accumulated):
            batch = torch.randint(model_config["vocabSize"], shape).pin_memory().to("cuda", non_blocking=True)
            with torch.autocast("cuda", dtype=torch.bfloat16, enabled=plan.get("precision") == "bf16"):
                loss = compiled(batch[:, :-1], batch[:, 1:]) / accumulated
            loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        torch.cuda.synchronize()
        if step >= steps // 4:
            rates.append(accumulated * B * model_config["seqLen"] / (time.perf_counter() - begin))
    print(json.dumps({"tokensPerSecond": rates, "version": torch.__version__, "loss": float(loss)}))


if __name__ == "__main__":
    main()

# The same shape, batch and lengths with PyTorch and transformers on the same card, in float32. Prints one JSON object.
import json
import sys
import time

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

job = json.loads(sys.argv[1])
if not torch.cuda.is_available():
    print(json.dumps({"none": "PyTorch sees no CUDA device"}))
    sys.exit()
s = job["shape"]
torch.manual_seed(0)
torch.set_default_device("cuda")
model = Qwen2ForCausalLM(
    Qwen2Config(
        vocab_size=s["vocabulary"],
        hidden_size=s["hidden"],
        intermediate_size=s["intermediate"],
        num_hidden_layers=s["layers"],
        num_attention_heads=s["heads"],
        num_key_value_heads=s["kvHeads"],
        tie_word_embeddings=True,
        attn_implementation="sdpa",
    )
)
rows = job["prompts"] * job["samples"]
ids = torch.randint(0, s["vocabulary"], (rows, job["promptTokens"]))


def seconds(work):
    times = []
    for _ in range(job["rounds"] + 1):
        torch.cuda.synchronize()
        began = time.perf_counter()
        work()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return sorted(times[1:])[len(times[1:]) // 2]


n = job["newTokens"]
out = {"torch": torch.__version__}
with torch.no_grad():
    mask = torch.ones_like(ids)
    out["generation"] = rows * n / seconds(
        lambda: model.generate(
            ids, attention_mask=mask, do_sample=True, top_k=0, min_new_tokens=n, max_new_tokens=n, pad_token_id=0
        )
    )
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6)
whole = torch.randint(0, s["vocabulary"], (rows, job["promptTokens"] + n))


def update():
    optimizer.zero_grad(set_to_none=True)
    for part in whole.split(job["samples"]):
        logits = model(part[:, :-1], logits_to_keep=n).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), part[:, -n:].flatten())
        (loss / job["prompts"]).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


try:
    out["update"] = rows * n / seconds(update)
except torch.cuda.OutOfMemoryError:
    out["updateNone"] = "out of memory"
print(json.dumps(out))

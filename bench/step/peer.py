"""The other side of bench/step: TRL's step, transformers' generate and PyTorch's update, of one model.

    python bench/step/peer.py SUBJECT.json

The subject names a folder with the parameters of our side. They are loaded as a Qwen2ForCausalLM: of a Qwen2.5-VL that
sees no image this is the same function, and leaves out the vision tower, which would only be in the way. Everything is
float32, without gradient checkpointing; what TRL's own defaults decide is printed. The last line is one JSON object.
"""

import json
import re
import statistics
import sys
import time
from pathlib import Path

import torch
from datasets import Dataset
from safetensors.torch import load_file
from transformers import AddedToken, Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

NEVER = "<|never|>"


LOADING = {"dtype": "float32", "attn_implementation": "sdpa"}


def convert(folder):
    """Writes the parameters as a Qwen2ForCausalLM, which TRL loads twice: as the policy and as its reference."""
    raw = json.loads((folder / "model" / "config.json").read_text())
    text = raw["text_config"]
    keys = ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads"]
    keys += ["vocab_size", "rms_norm_eps", "max_position_embeddings"]
    config = Qwen2Config(
        **{key: text[key] for key in keys},
        tie_word_embeddings=raw["tie_word_embeddings"],
        rope_parameters={"rope_type": "default", "rope_theta": text["rope_parameters"]["rope_theta"]},
        pad_token_id=312,
    )
    model = Qwen2ForCausalLM(config).float()
    tensors = {}
    for name, value in load_file(folder / "model" / "model.safetensors").items():
        found = re.match(r"(?:model\.language_model|model)\.(?!visual)(.*)", name)
        if found and "visual" not in name:
            tensors[f"model.{found.group(1)}"] = value
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    model.save_pretrained(folder / "qwen2")


def load_model(folder):
    return Qwen2ForCausalLM.from_pretrained(folder / "qwen2", **LOADING)


def load_tokenizer(folder, vocabulary):
    tokenizer = Qwen2Tokenizer.from_pretrained(folder)
    # an end that the model cannot write: ids go on past its vocabulary
    filling = [AddedToken(f"<|fill{i}|>", special=True) for i in range(len(tokenizer), vocabulary)]
    tokenizer.add_tokens(filling)
    tokenizer.add_special_tokens({"eos_token": AddedToken(NEVER, special=True)})
    assert tokenizer.eos_token_id >= vocabulary
    tokenizer.padding_side = "left"
    return tokenizer


def reward(completions, **_):
    return [1.0 if re.fullmatch(r"[^e]*", text) else 0.0 for text in completions]


class Clock(TrainerCallback):
    def __init__(self):
        self.steps = []

    def on_step_begin(self, *_, **__):
        self.began = time.perf_counter()

    def on_step_end(self, *_, **__):
        self.steps.append(time.perf_counter() - self.began)


def time_trl(subject, folder, prompts):
    config = GRPOConfig(
        output_dir=str(folder / "trl"),
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        beta=subject["beta"],
        num_generations=subject["samples"],
        per_device_train_batch_size=subject["prompts"] * subject["samples"],
        max_completion_length=subject["tokens"],
        max_steps=subject["steps"],
        report_to="none",
        save_strategy="no",
        logging_steps=1,
        disable_tqdm=True,
        seed=1,
        model_init_kwargs=LOADING,
    )
    clock = Clock()
    trainer = GRPOTrainer(
        model=str(folder / "qwen2"),
        reward_funcs=reward,
        args=config,
        train_dataset=Dataset.from_list([{"prompt": prompt} for prompt in prompts]),
        processing_class=load_tokenizer(folder / "model", subject["vocabulary"]),
        callbacks=[clock],
    )
    generation = []
    inner = trainer._generate_single_turn

    def timed(*args, **kwargs):
        began = time.perf_counter()
        result = inner(*args, **kwargs)
        generation.append(time.perf_counter() - began)
        return result

    trainer._generate_single_turn = timed
    trainer.train()
    lengths = [row["completions/mean_length"] for row in trainer.state.log_history if "completions/mean_length" in row]
    assert all(length == subject["tokens"] for length in lengths), lengths
    shown = ["loss_type", "scale_rewards", "epsilon", "num_iterations", "learning_rate", "lr_scheduler_type", "optim"]
    shown += ["weight_decay", "max_grad_norm", "temperature", "top_p", "top_k", "steps_per_generation"]
    settings = {name: str(getattr(config, name)) for name in shown}
    print("TRL's settings:", ", ".join(f"{name} {value}" for name, value in settings.items()))
    warm = subject["warmUp"]
    return {"trlStep": statistics.median(clock.steps[warm:]), "trlGeneration": statistics.median(generation[warm:])}


def time_generate(subject, folder, prompts):
    """transformers' generate as it comes, on the batch that one step of ours generates."""
    model = load_model(folder).eval()
    tokenizer = load_tokenizer(folder / "model", subject["vocabulary"])
    batch = [prompt for prompt in prompts[: subject["prompts"]] for _ in range(subject["samples"])]
    inputs = tokenizer(batch, return_tensors="pt", padding=True)
    times = []
    for _ in range(subject["warmUp"] + subject["repeats"]):
        began = time.perf_counter()
        with torch.no_grad():
            out = model.generate(**inputs, do_sample=True, temperature=1.0, top_k=0, max_new_tokens=subject["tokens"])
        times.append(time.perf_counter() - began)
        assert out.shape[1] == inputs["input_ids"].shape[1] + subject["tokens"]
    return {"generate": statistics.median(times[subject["warmUp"] :])}


def time_update(subject, folder):
    """Forward, GRPO's loss with its KL term, backward, clipping and AdamW, eager, scaled-dot-product attention."""
    model = load_model(folder).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6, weight_decay=0.0)
    generator = torch.Generator().manual_seed(0)
    rows, length, prompt = subject["prompts"] * subject["samples"], subject["tokens"], subject["promptTokens"]
    ids = torch.randint(0, 300, (rows, prompt + length), generator=generator)
    advantages = torch.randn(rows, 1, generator=generator)
    reference = torch.full((rows, length), -6.0)
    times = []
    for _ in range(subject["warmUp"] + subject["repeats"]):
        began = time.perf_counter()
        # logits of the completion only, as TRL asks for them
        logits = model(input_ids=ids, use_cache=False, logits_to_keep=length + 1).logits[:, :-1]
        chosen = ids[:, -length:, None]
        logps = logits.gather(2, chosen).squeeze(2) - logits.logsumexp(2)
        ratio = torch.exp(logps - logps.detach())
        loss = -torch.min(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages)
        difference = reference - logps
        loss = (loss + subject["beta"] * (torch.exp(difference) - difference - 1)).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - began)
    return {"update": statistics.median(times[subject["warmUp"] :])}


def main():
    subject = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(subject["threads"])
    folder = Path(subject["folder"])
    convert(folder)
    prompts = subject["promptTexts"]
    results = {"torch": torch.__version__, **time_generate(subject, folder, prompts), **time_update(subject, folder)}
    results |= time_trl(subject, folder, prompts)
    print(json.dumps(results))


if __name__ == "__main__":
    main()

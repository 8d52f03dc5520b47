"""Writes what transformers makes of texts with the tokenizer and chat template of a reference model.

    python test/reference/make_text.py MODEL OUT.json

`texts`: `text` and `ids`. `decodes`: `ids`, `text` with and `plain` without special tokens. `chats`: `messages`, the
rendered `prompt` with generation prompt, and `closed` without.
"""

import json
import random
import sys
from pathlib import Path

from companions import CHAT_TEMPLATE
from make_models import IMAGE, text
from transformers import Qwen2Tokenizer

PIECES = [
    "don't", "I'LL", "we'Re", "'s ", "'S", " hello", "World", "  ", "\n", "\r\n", " \n ", "\t", "12345", "3.14", "x²", "½",
    "Ⅷ", "٣", "e\u0301", "é", "\u0085", "\ufeff", "\u00a0", "\u3000", "\u2028", "\u200b", "<|im_end|>", "<|image_pad|>",
    "<tool_call>", "<|im_start|>user\n", "ſ", "'ſ", "İ", " ?!", "...\n\n", "$x=\\frac{1}{2}$", "🙂", "👩‍👩‍👧", "東京", "한국",
    "\u1100\u1161", "नमस्ते", "ﬁ", "\x00", "</think>", "<answer>", "ẞ", "Å", "a" * 40, " " * 9,
]  # fmt: skip

CHATS = [
    [{"role": "user", "content": "How many?"}],
    [{"role": "user", "content": [text("How many?")]}],
    [{"role": "system", "content": "Count: 東京 🙂"}, {"role": "user", "content": [IMAGE, text("{{ not a template }}")]}],
    [{"role": "system", "content": ""}, {"role": "user", "content": [IMAGE, IMAGE, text(" and"), IMAGE]}],
    [
        {"role": "user", "content": [text("  spaces  \n"), IMAGE]},
        {"role": "assistant", "content": "<think>two</think><answer>2</answer>"},
        {"role": "user", "content": "\nAnd <b>now</b> & then?"},
    ],
]


def some_text(random_):
    parts = []
    for _ in range(random_.randint(1, 14)):
        kind = random_.random()
        if kind < 0.5:
            parts.append(random_.choice(PIECES))
        elif kind < 0.7:
            start, end = random_.choice([(0xA0, 0x24F), (0x370, 0x52F), (0x1E00, 0x206F), (0x4E00, 0x9FFF), (0x1F300, 0x1F64F)])
            parts.append(chr(random_.randint(start, end)))
        else:
            parts.append(random_.choice("abcdefgh ABC  .,!?123'\"\n"))
    return "".join(parts)


def main():
    tokenizer = Qwen2Tokenizer.from_pretrained(sys.argv[1])
    random_ = random.Random(0)
    texts = ["", " ", *PIECES, *(some_text(random_) for _ in range(200))]
    # ids of bytes alone are often no UTF-8; ids from 316 on have no token
    lists = [[random_.randrange(256 if random_.random() < 0.8 else 320) for _ in range(random_.randint(0, 12))] for _ in range(100)]
    rows = {
        "texts": [{"text": words, "ids": tokenizer(words)["input_ids"]} for words in texts],
        "decodes": [
            {"ids": ids, "text": tokenizer.decode(ids), "plain": tokenizer.decode(ids, skip_special_tokens=True)}
            for ids in lists
        ],
        "chats": [
            {
                "messages": messages,
                "prompt": tokenizer.apply_chat_template(
                    messages, chat_template=CHAT_TEMPLATE, tokenize=False, add_generation_prompt=True
                ),
                "closed": tokenizer.apply_chat_template(messages, chat_template=CHAT_TEMPLATE, tokenize=False),
            }
            for messages in CHATS
        ],
    }
    lines = [f'"{key}": [\n  ' + ",\n  ".join(json.dumps(row) for row in value) + "\n ]" for key, value in rows.items()]
    Path(sys.argv[2]).write_text("{\n " + ",\n ".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()

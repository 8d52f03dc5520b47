"""Math-Verify on the same pairs: python bench/reward/peer.py PAIRS.json

Answers stand in dollars, as Math-Verify asks for. Parsing the gold answer counts, as ours does. The last line is one JSON
object: verdicts in order, and seconds of processor time.
"""

import json
import sys
import time
from importlib.metadata import version

from math_verify import parse, verify

pairs = json.load(open(sys.argv[1], encoding="utf-8"))
for warm in range(3):
    verify(parse("$x+1$"), parse("$1+x$"))
verdicts = []
started = time.process_time()
for pair in pairs:
    verdicts.append(bool(verify(parse(f"${pair['gold']}$"), parse(f"${pair['pred']}$"))))
seconds = time.process_time() - started
print(json.dumps({"version": version("math-verify"), "seconds": seconds, "verdicts": verdicts}))

"""Runs the Python and SQL of docs/run-folder.md on a run: python read_run.py DOCUMENT RUN"""

import re
import sys
from pathlib import Path

import duckdb


def main():
    document, run = Path(sys.argv[1]).read_text(encoding="utf-8"), sys.argv[2]
    names = {}
    for language, code in re.findall(r"^```(python|sql)\n(.*?)^```$", document, re.M | re.S):
        code = re.sub(r"runs/(shapes-20270101-120000|\*)(?=/)", lambda _: run, code)
        if language == "python":
            exec(compile(code, sys.argv[1], "exec"), names)
            continue
        rows = duckdb.sql(code).fetchall()
        assert rows and all(row[-1] > 0 for row in rows), rows
        print(*rows, sep="\n")
    assert len(names["curve"]) == names["rollouts"].step.nunique(), "a step without rollouts, or the reverse"


if __name__ == "__main__":
    main()

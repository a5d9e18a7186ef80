"""Measures what the safety check costs: `python -m benchmarks.safety_speed`. CPU time counts, so that a busy machine shows little."""
from __future__ import annotations

import random
import time
from typing import List

import numpy as np

from assistant.encoder import Encoder
from assistant.safety import SafetyCheck
from assistant.safety.corpus import read_examples
from assistant.settings import ROOT, Settings
from benchmarks.cli import print_json, print_table, progress, run

LENGTHS = (500, 1000, 2000, 4000)
MESSAGES = 300


def cost(check: SafetyCheck, texts: List[str]) -> np.ndarray:
    """Return the CPU milliseconds of each text, after a round to warm up."""
    for text in texts[:20]:
        check.check(text)
    result = []
    for text in texts:
        start = time.thread_time()
        check.check(text)
        result.append((time.thread_time() - start) * 1000)
    return np.array(result)


def main(_: List[str]) -> None:
    """Time the check on messages of several lengths."""
    settings = Settings.from_env()
    progress("Fitting the safety check, or taking it from the cache …")
    check = SafetyCheck.fit(ROOT / "data" / "safety", Encoder.load(settings), cache=settings.cache)
    words = [word for example in read_examples(ROOT / "data" / "safety") for word in example.text.split()]
    chance = random.Random(0)

    def text(count: int) -> str:
        start = chance.randrange(len(words) - count)
        return " ".join(words[start:start + count])

    thirty = cost(check, [text(30) for _ in range(MESSAGES)])
    longer = {length: cost(check, [text(length // 3)[:length] for _ in range(20)]) for length in LENGTHS}
    rows = [["30 words", np.median(thirty), np.quantile(thirty, 0.95), thirty.max()]]
    rows += [[f"{length} characters", np.median(times), np.quantile(times, 0.95), times.max()] for length, times in longer.items()]
    print_table("Milliseconds of one core", ["message", "p50", "p95", "max"], [[name, *map(float, values)] for name, *values in rows])
    print_json({"p50_30_words": float(np.median(thirty)), "p95_30_words": float(np.quantile(thirty, 0.95)),
                "max_4000_characters": float(longer[4000].max())})


if __name__ == "__main__":
    run(main, "python -m benchmarks.safety_speed", arguments=0)

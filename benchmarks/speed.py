"""`make benchmark-speed`: this assistant and Rasa's stock pipeline, trained on the same data, in turn on one machine.

training: seconds of `rasa train` after `make setup`, with nothing cached of topics or stories; ready: seconds from the
second start to the first answer; memory: MB of the Rasa process after all else was measured; p50_latency, p99_latency:
milliseconds of a message, one visitor, turns 1 to 20; throughput_10, throughput_50: messages a second with as many
visitors at once; turn50: p50 at turn 50 by p50 at turn 1. What is said are phrasings of the training data, a different one each time.
"""
from __future__ import annotations

import random
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Dict, Iterator, List, Sequence

import numpy as np

from assistant.content import load_topics
from assistant.settings import ROOT
from benchmarks.cli import print_json, print_table, progress, run
from benchmarks.contenders import Contender, Ours, Stock

FIGURES = ("training", "ready", "memory", "p50_latency", "p99_latency", "throughput_10", "throughput_50", "turn50")
ROUNDS = 10  # conversations of 20 turns, and of 50
TURNS, LONG = 20, 50
SECONDS = 15.0  # of each measure of throughput
# A search needs the action server, and waits for it.
LEFT_OUT = "find_therapist"


def main(given: List[str]) -> None:
    """Train both, measure both in turn, print."""
    with tempfile.TemporaryDirectory(prefix="assistant-speed-") as folder:
        homes = [Path(folder) / name for name in ("ours", "stock")]
        for home in homes:
            home.mkdir()
        contenders: List[Contender] = [Ours(homes[0]), Stock(homes[1])]
        figures: Dict[str, Dict[str, float]] = {one.name: {} for one in contenders}
        for one in contenders:
            progress(f"training {one.name}")
            figures[one.name]["training"] = one.train()
        try:
            _serve(contenders, figures)
        finally:
            for one in contenders:
                one.stop()
    _report(figures)


def _serve(contenders: Sequence[Contender], figures: Dict[str, Dict[str, float]]) -> None:
    texts = _texts()
    for one in contenders:
        progress(f"starting {one.name}")
        one.start()
        one.stop()
        figures[one.name]["ready"] = one.start()
    times: Dict[str, List[List[float]]] = {one.name: [] for one in contenders}
    for number in range(ROUNDS):
        progress(f"conversations {number + 1} of {ROUNDS}")
        for one in contenders:  # in turn, so that what else the machine does touches both
            times[one.name].append(_converse(one, LONG, texts))
    for one in contenders:
        turns = np.array(times[one.name]) * 1000  # [ROUNDS, LONG], milliseconds
        figures[one.name]["p50_latency"] = float(np.percentile(turns[:, :TURNS], 50))
        figures[one.name]["p99_latency"] = float(np.percentile(turns[:, :TURNS], 99))
        figures[one.name]["turn50"] = float(np.median(turns[:, LONG - 1]) / np.median(turns[:, 0]))
    for visitors in (10, 50):
        for one in contenders:
            progress(f"{visitors} visitors at once: {one.name}")
            figures[one.name][f"throughput_{visitors}"] = _throughput(one, visitors, texts)
    for one in contenders:
        figures[one.name]["memory"] = one.memory()


def _texts() -> Iterator[str]:
    """Give the project's phrasings in an order that looks random and is the same each time, over and over."""
    phrasings = [text for topic in load_topics(ROOT) if topic.intent != LEFT_OUT for text in topic.examples]
    order = random.Random(0)
    while True:
        order.shuffle(phrasings)
        yield from phrasings


def _converse(one: Contender, turns: int, texts: Iterator[str]) -> List[float]:
    """Hold one conversation; return the seconds of each turn."""
    visitor, conversation = one.connect(), uuid.uuid4().hex
    return [visitor.say(conversation, next(texts))[0] for _ in range(turns)]


def _throughput(one: Contender, visitors: int, texts: Iterator[str]) -> float:
    """Return the messages that were answered in a second, while `visitors` each send the next as soon as they can."""
    lock, answered, ends = threading.Lock(), [0], time.monotonic() + SECONDS

    def visit() -> None:
        visitor, conversation, turn = one.connect(), uuid.uuid4().hex, 0
        while time.monotonic() < ends:
            with lock:
                text = next(texts)
            good = visitor.say(conversation, text)[1]
            with lock:
                answered[0] += good
            turn += 1
            if turn % TURNS == 0:
                conversation = uuid.uuid4().hex

    threads = [threading.Thread(target=visit) for _ in range(visitors)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answered[0] / (time.monotonic() - start)


def _report(figures: Dict[str, Dict[str, float]]) -> None:
    ratio = {name: figures["ours"][name] / figures["stock"][name] for name in FIGURES}
    result = {"ours": figures["ours"], "stock": figures["stock"], "ratio": ratio}
    rows = [[name, *(column[name] for column in result.values())] for name in FIGURES]
    print_table("Speed, on the same data in turn", ["", *result], rows)
    print_json({name: {figure: column[figure] for figure in FIGURES} for name, column in result.items()})


if __name__ == "__main__":
    run(main, "make benchmark-speed", arguments=0)

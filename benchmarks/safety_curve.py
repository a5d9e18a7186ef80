"""Shows what each further point of recall costs in false alarms: `python -m benchmarks.safety_curve`."""
from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import List

import numpy as np

from assistant.encoder import Encoder
from assistant.safety.decide import Thresholds
from assistant.safety.training import HeldOut, choose, learn, prepare
from assistant.safety.verdict import CATEGORIES, LEVELS
from assistant.settings import ROOT, Settings
from benchmarks.cli import print_json, print_table, progress, run

ORDINARY = ("questions", "faq", "search")
HARD = ("idiom", "media", "bereavement", "professional", "student", "quarrel", "recovery", "denial")


def share(judged: List[HeldOut], thresholds: Thresholds, step: float = 0.0) -> float:
    """Return the share of `judged` that is taken for crisis with the thresholds moved by `step`."""
    return float(np.mean([one.by_phrases or one.judgement.crisis >= thresholds.least(one.judgement) + step for one in judged]))


def main(_: List[str]) -> None:
    """Print what each point of recall costs in false alarms."""
    progress("Cross-validating, 5 folds …")
    judged = learn(prepare(ROOT / "data" / "safety", Encoder.load(Settings.from_env())))[1]
    of = {level: [one for one in judged if one.example.level == level] for level in LEVELS}
    groups = {"ordinary": [one for one in of["none"] if one.example.kind in ORDINARY],
              "hard": [one for one in of["none"] if one.example.kind in HARD],
              "other none": [one for one in of["none"] if one.example.kind not in (*HARD, *ORDINARY)],
              "long none": [one for one in of["none"] if one.judgement.long],
              "concern": of["concern"]}
    chosen = choose(judged)
    rows = []
    for step in np.arange(-0.3, 0.51, 0.1):
        by_kind = {kind: share([one for one in of["crisis"] if one.example.kind == kind], chosen, step) for kind in CATEGORIES}
        lowest = min(by_kind, key=lambda kind: by_kind[kind])
        rows.append([f"{step:+.1f}", share(of["crisis"], chosen, step), f"{lowest} {by_kind[lowest]:.3f}",
                     *(share(group, chosen, step) for group in groups.values())])
    print_table("Crisis, phrases and meaning together, with the thresholds moved", ["moved by", "recall", "lowest category", *groups], rows)
    kinds = Counter(one.example.kind for one in of["none"])
    print_table("None taken for crisis at the chosen threshold, by kind", ["kind", "n", "share"],
                [[kind, n, share([one for one in of["none"] if one.example.kind == kind], chosen)] for kind, n in kinds.items()])
    print_json({"n": len(judged), "thresholds": asdict(chosen), "recall": share(of["crisis"], chosen),
                **{f"false_alarms_{name.replace(' ', '_')}": share(group, chosen) for name, group in groups.items()}})


if __name__ == "__main__":
    run(main, "python -m benchmarks.safety_curve", arguments=0)

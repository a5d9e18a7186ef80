"""Shows what each further point of recall costs in false alarms: `python -m benchmarks.safety_curve`."""
from __future__ import annotations

from collections import Counter
from typing import List

import numpy as np

from assistant.encoder import Encoder
from assistant.safety.corpus import FROM_TOPICS
from assistant.safety.training import HeldOut, choose, held_out, prepare
from assistant.settings import ROOT, Settings
from benchmarks.cli import print_json, print_table, progress, run

HARD = ("idiom", "media", "bereavement", "professional", "student", "quarrel", "recovery", "denial")


def share(judged: List[HeldOut], threshold: float) -> float:
    """Return the share of `judged` that is taken for crisis at `threshold`."""
    return float(np.mean([one.phrases == "crisis" or one.judgement.crisis >= threshold for one in judged]))


def main(_: List[str]) -> None:
    """Print what each point of recall costs in false alarms."""
    progress("Cross-validating, 5 folds …")
    judged = held_out(prepare(ROOT / "data" / "safety", Encoder.load(Settings.from_env())))
    crisis = [one for one in judged if one.example.level == "crisis"]
    groups = {"ordinary": [one for one in judged if one.example.kind == FROM_TOPICS],
              "hard": [one for one in judged if one.example.level == "none" and one.example.kind in HARD],
              "own none": [one for one in judged if one.example.level == "none" and one.example.kind not in (*HARD, FROM_TOPICS)],
              "concern": [one for one in judged if one.example.level == "concern"]}
    chosen = choose(judged)
    rows = []
    for threshold in sorted([chosen.crisis, *np.arange(-0.7, 0.31, 0.1)]):
        by_kind = {kind: share([one for one in crisis if one.example.kind == kind], threshold) for kind in {one.example.kind for one in crisis}}
        lowest = min(by_kind, key=lambda kind: by_kind[kind])
        rows.append([f"{threshold:.3f}{' *' if threshold == chosen.crisis else ''}", share(crisis, threshold),
                     f"{lowest} {by_kind[lowest]:.3f}", *(share(group, threshold) for group in groups.values())])
    print_table("Crisis, phrases and meaning together (* chosen)", ["threshold", "recall", "lowest category", *groups], rows)
    kinds = Counter(one.example.kind for one in judged if one.example.level == "none")
    print_table("None taken for crisis at the chosen threshold, by kind", ["kind", "n", "share"],
                [[kind, n, share([one for one in judged if one.example.kind == kind], chosen.crisis)] for kind, n in kinds.items()])
    heavy = [one for one in judged if one.example.level == "concern"]
    print_table("Concern", ["", ""], [
        ["recall", float(np.mean([one.phrases != "none" or one.judgement.heavy >= chosen.heavy or one.judgement.crisis >= chosen.crisis
                                  for one in heavy]))],
        ["phrases alone, crisis recall", float(np.mean([one.phrases == "crisis" for one in crisis]))],
        ["meaning alone, crisis recall", float(np.mean([one.judgement.crisis >= chosen.crisis for one in crisis]))]])
    print_json({"n": len(judged), "threshold": chosen.crisis, "recall": share(crisis, chosen.crisis),
                **{f"false_alarms_{name.replace(' ', '_')}": share(group, chosen.crisis) for name, group in groups.items()}})


if __name__ == "__main__":
    run(main, "python -m benchmarks.safety_curve", arguments=0)

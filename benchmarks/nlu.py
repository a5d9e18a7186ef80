"""`make benchmark-nlu TRAIN=a.tsv TEST=b.tsv`: the assistant's understanding, trained on a foreign data set.

Both files hold `text<TAB>intent`. Rows with the intent __oos__ are out of scope: left out of training, to be turned
down in the test. Nothing is chosen on the test file.
"""
from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from sklearn.metrics import matthews_corrcoef, roc_auc_score

from assistant.encoder import Encoder
from assistant.errors import InputFileError
from assistant.settings import Settings
from assistant.understanding.classifier import Classifier, Ranking
from benchmarks.cli import print_json, print_table, progress, read_tsv, run

OUTSIDE = "__oos__"
COLUMNS = ("text", "intent")


def measure(train: Sequence[Sequence[str]], test: Sequence[Sequence[str]], encoder: Encoder) -> Dict[str, Any]:
    """Train on rows of (text, intent) and return the figures on `test`; null where it has no rows of a kind."""
    known = [row for row in train if row[1] != OUTSIDE]
    if len({intent for _, intent in known}) < 2:
        raise InputFileError("TRAIN: has fewer than two intents. Give text<TAB>intent on each line.")
    start = time.perf_counter()
    texts = [text for text, _ in known]
    classifier = Classifier.fit(texts, [intent for _, intent in known], encoder.embed_both(texts), encoder.words())
    seconds = time.perf_counter() - start
    texts = classifier.mend([text for text, _ in test])
    figures = _figures([intent for _, intent in test], classifier.rank(texts, encoder.embed_both(texts)))
    return {"n": len(test), **figures, "threshold": classifier.threshold, "train_seconds": seconds}


def _figures(intents: List[str], rankings: List[Ranking]) -> Dict[str, Optional[float]]:
    inside = np.array([intent != OUTSIDE for intent in intents])
    right = np.array([ranking.intents[0] == intent for ranking, intent in zip(rankings, intents)])
    accepted = np.array([ranking.in_scope for ranking in rankings])
    scores = np.array([ranking.score for ranking in rankings])
    answers = [ranking.intents[0] if ranking.in_scope else OUTSIDE for ranking in rankings]
    both = 0 < inside.sum() < len(inside)
    return {
        "closed_accuracy": _mean(right[inside]),
        "auroc": float(roc_auc_score(inside, scores)) if both else None,
        "in_scope_accuracy": _mean((right & accepted)[inside]),
        "oos_recall": _mean(~accepted[~inside]),
        "mcc": float(matthews_corrcoef(intents, answers)),
    }


def _mean(values: np.ndarray) -> Optional[float]:
    return float(values.mean()) if len(values) else None


def main(given: List[str]) -> None:
    """Read both files, measure, print."""
    train, test = (read_tsv(Path(name), COLUMNS) for name in given)
    encoder = Encoder.load(Settings.from_env())
    progress(f"training on {len(train)} rows, testing on {len(test)}")
    figures = measure(train, test, encoder)
    print_table("Understanding on a foreign data set", ("figure", "value"), list(figures.items()))
    print_json(figures)


if __name__ == "__main__":
    run(main, "make benchmark-nlu TRAIN=a.tsv TEST=b.tsv", arguments=2)

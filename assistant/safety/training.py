"""Fits the safety check: learns the meaning detector, and chooses its thresholds by cross-validation."""
from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, FrozenSet, List, Optional, Sequence, Tuple

import numpy as np

from assistant.errors import ModelError
from assistant.safety import meaning
from assistant.safety.corpus import Example, read_examples
from assistant.safety.decide import COPIED, FORMAT, SafetyCheck, Thresholds, found_by_phrases
from assistant.safety.features import Embedder, Featurizer, Reading, read
from assistant.safety.meaning import CRISIS, FIRST_CATEGORY, HEAVY, THIRD_PARTY, Examples, Judgement, MeaningDetector, Weights
from assistant.safety.normalise import Normaliser
from assistant.safety.phrases import PhraseDetector
from assistant.safety.verdict import CATEGORIES, LEVELS

# The recall that is wanted of messages held out from the examples. They are harder than what visitors write, as they
# were written to be: docs/safety.md shows what these shares come to on messages of somebody else, and what more would cost.
CRISIS_RECALL = 0.93
LONG_RECALL = 0.95  # of long messages: in a story told at length the risk is easily lost
CONCERN_RECALL = 0.84
ORDINARY = "questions"  # the kind that is far from any risk: learnt from, but of no use in the basis
WORRIED = "worry_about_others"  # the kind of concern that is third_party
JOINED_MARGIN = 0.3  # by how much two messages together must score higher than one alone

# The modules on which the fitted arrays depend: a change of another needs no new fit.
LEARNING = ("unicode", "normalise", "patterns", "phrases", "features", "corpus", "meaning", "decide", "training")

_WORD = re.compile(r"[a-z]+")
_MISTYPED = frozenset({"typos", "slang_coded"})


@dataclass(frozen=True)
class HeldOut:
    """A message, judged by a detector that never saw it."""

    example: Example
    phrases: str  # the level by phrases
    judgement: Judgement

    @property
    def by_phrases(self) -> bool:
        """Whether the phrases make it a crisis."""
        return found_by_phrases(self.phrases, self.judgement)


@dataclass(frozen=True)
class Prepared:
    """All that fitting needs, computed once."""

    normaliser: Normaliser
    phrases: PhraseDetector
    featurizer: Featurizer
    examples: List[Example]
    readings: List[Reading]
    known: "Remembered"
    folds: Dict[int, int]  # example to fold of the cross-validation


class Remembered:
    """The encoder's answers for texts that were embedded already."""

    def __init__(self, texts: Sequence[str], encoder: Embedder) -> None:
        self._texts = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        self._encoder = encoder
        self._rows = encoder.embed_both(list(self._texts))

    def embed_both(self, texts: Sequence[str]) -> np.ndarray:
        """See Encoder.embed_both."""
        return self._rows[[self._texts[text] for text in texts]]  # type: ignore[no-any-return]

    def words(self) -> FrozenSet[str]:
        """See Encoder.words."""
        return self._encoder.words()


def fit_or_cached(data: Path, encoder: Embedder, cache: Optional[Path]) -> SafetyCheck:
    """Return the check for data/safety, from `cache` where one of the same examples, phrases, code and encoder lies."""
    if cache is None:
        return fit(data, encoder)
    folder = fitted(data, cache)
    if (folder / "model.json").is_file():
        try:
            for name in COPIED:  # texts may change without a new fit
                shutil.copyfile(data / name, folder / name)
            return SafetyCheck.load(folder, encoder)
        except ModelError:
            shutil.rmtree(folder)  # half written: fit again
    check = fit(data, encoder)
    check.save(folder)
    return check


def fitted(data: Path, cache: Path) -> Path:
    """Return the folder of the check that fits data/safety as it is now; its `model.json`, written last, says that it is there."""
    return cache / "safety" / _fingerprint(data)


def fit(data: Path, encoder: Embedder) -> SafetyCheck:
    """Learn from data/safety."""
    prepared = prepare(data, encoder)
    weights, judged = learn(prepared, ("concern", "crisis"))
    return SafetyCheck(data, prepared.normaliser, prepared.phrases, prepared.featurizer, weights, choose(judged), encoder)


def prepare(data: Path, encoder: Embedder) -> Prepared:
    """Read the files and normalise, match and embed every message."""
    phrases = PhraseDetector(data / "phrases.yml")
    examples = read_examples(data)
    normaliser = Normaliser(_ordinary_words(examples, encoder), phrases.words, phrases.spellings)
    folds = _folds(examples)
    readings = [read(normaliser.sentences(example.text), phrases) for example in examples]
    featurizer = Featurizer(phrases)
    featurizer.fit([reading.text(reading.units[-1]) for reading in readings if reading.units])
    known = Remembered([reading.text(unit) for reading in readings for unit in reading.units], encoder)
    return Prepared(normaliser, phrases, featurizer, examples, readings, known, folds)


def learn(prepared: Prepared, levels: Sequence[str] = LEVELS) -> Tuple[Weights, List[HeldOut]]:
    """Return the weights, and every message of `levels` as 5-fold cross-validation judges it."""
    weights, held_out = meaning.learn(_examples(prepared), prepared.folds)
    judged = []
    for fold, without in enumerate(held_out):
        own = [place for place, example in enumerate(prepared.examples) if prepared.folds[place] == fold and example.level in levels]
        readings = [prepared.readings[place] for place in own]
        judgements = MeaningDetector(prepared.featurizer, without, prepared.known).judge_all(readings)
        judged += [HeldOut(prepared.examples[place], prepared.phrases.find(reading.tokens, reading.matches).level, judgement)
                   for place, reading, judgement in zip(own, readings, judgements)]
    return weights, judged


def choose(judged: Sequence[HeldOut]) -> Thresholds:
    """Return the highest thresholds at which the wanted share is still found: recall first, then as few false alarms as may be."""
    short, long = (_highest([math.inf if one.by_phrases else one.judgement.crisis for one in judged
                             if one.example.level == "crisis" and one.judgement.long == long], recall)
                   for long, recall in ((False, CRISIS_RECALL), (True, LONG_RECALL)))
    heavy = _highest([math.inf if one.phrases != "none" or one.judgement.crisis >= (long if one.judgement.long else short)
                      else one.judgement.heavy for one in judged if one.example.level == "concern"], CONCERN_RECALL)
    return Thresholds(short, long, heavy, short + JOINED_MARGIN)


def _highest(scores: Sequence[float], recall: float) -> float:
    """Return the highest score that at least the share `recall` of `scores` reaches."""
    return float(sorted(scores)[int((1 - recall) * len(scores))]) if scores else 0.0


def _examples(prepared: Prepared) -> Examples:
    """Return the units to learn from: of a message at risk the whole alone, since not each of its sentences is."""
    rows = [(place, unit) for place, (example, reading) in enumerate(zip(prepared.examples, prepared.readings))
            for unit in (reading.units if example.level == "none" else reading.units[-1:])]
    texts = [prepared.readings[place].text(unit) for place, unit in rows]
    targets = np.full((len(rows), FIRST_CATEGORY + len(CATEGORIES)), -1, dtype=np.float32)
    for row, (place, _) in zip(targets, rows):
        example = prepared.examples[place]
        if example.level == "crisis":
            row[[CRISIS, HEAVY, FIRST_CATEGORY + CATEGORIES.index(example.kind)]] = 1
        elif example.level == "concern":
            row[[HEAVY, THIRD_PARTY] if example.kind == WORRIED else HEAVY] = 1
    own = {text: number for number, (text, (place, _)) in enumerate(zip(texts, rows)) if prepared.examples[place].kind != ORDINARY}
    return Examples(
        embeddings=meaning.embedded(prepared.known, texts), ngrams=prepared.featurizer.ngrams(texts),
        flags=np.concatenate([prepared.featurizer.flags(prepared.readings[place], [unit]) for place, unit in rows]),
        targets=targets, groups=np.array([place for place, _ in rows]),
        candidates=np.array([own[text] for text in sorted(own, key=lambda text: hashlib.sha256(text.encode()).digest())]),
    )


def _folds(examples: Sequence[Example]) -> Dict[int, int]:
    """Return a fold for each message, the same on each run, even within each kind and form."""
    order = sorted(range(len(examples)), key=lambda place: (examples[place].level, examples[place].kind, examples[place].form,
                                                            hashlib.sha256(examples[place].text.encode()).digest()))
    return {place: rank % meaning.FOLDS for rank, place in enumerate(order)}


def _ordinary_words(examples: Sequence[Example], encoder: Embedder) -> List[str]:
    """Return the words that no folding may touch: those of the examples, and the encoder's own whole words."""
    counts = Counter(word for example in examples if example.form not in _MISTYPED
                     for word in set(_WORD.findall(example.text.lower().replace("'", "").replace("’", ""))))
    return sorted({word for word, count in counts.items() if count > 1}
                  | {word for word in encoder.words() if len(word) > 2 and word.isascii()})


def _fingerprint(data: Path) -> str:
    from assistant.encoder import BUILD

    digest = hashlib.sha256(json.dumps([FORMAT, BUILD]).encode())
    for path in [Path(__file__).with_name(f"{name}.py") for name in LEARNING] + [data / "phrases.yml"]:
        digest.update(path.read_bytes())
    for example in read_examples(data):
        digest.update(repr(example).encode())
    return digest.hexdigest()[:20]

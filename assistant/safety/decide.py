"""The safety check: two detectors over one reading of the message, either of which suffices for `crisis`."""
from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple

import numpy as np

from assistant.errors import ModelError
from assistant.safety.features import Embedder, Featurizer, Reading, read
from assistant.safety.meaning import NOTHING, Judgement, MeaningDetector, Weights
from assistant.safety.normalise import STOP, Normaliser, Sentence
from assistant.safety.phrases import PhraseDetector, Phrases
from assistant.safety.verdict import CATEGORIES, Verdict

FORMAT = 4  # of what `save` writes
NEIGHBOURS = ("risky", "calm")  # the arrays that are stored at half the precision
COPIED = ("phrases.yml", "helplines.yml", "replies.yml")
# Below this score the meaning, which is told of the phrases too, overrules them ("my overdose was in 1981, I've had a grand life
# since"): a concern is left. Of 3,455 messages at risk held out from the examples it lets one down, of 444 harmless ones it saves 84.
OVERRULED = -0.9
NEAR = 0.15  # distance from the threshold, as a score, within which a person should look
MOST_ASKED = 3  # sentences of a crisis message that may be sent on as a question
LONGEST_JOINED = 30  # words of two messages that are read together as one disclosure

# A topic chooses the reply only within these categories ("" stands for concern).
_TOPIC_FITS: Dict[str, Tuple[str, ...]] = {
    "perinatal": ("suicide", "self_harm", "harm_to_others", "child_at_risk"),
    "eating_disorder": ("self_harm",),
    "therapist_misconduct": ("abuse_violence", ""),
    "sexual_violence": ("abuse_violence",),
    "intoxication": (),
    "suicide_bereavement": ("",),
    "aimed_at_bot": ("",),
}
_ASKS = re.compile(r"\?|^\W*(?:how|what|when|where|who|which|why|can|could|do|does|is|are|will|would|find|search|look|i(?:'| a)?m looking"
                   r"|i need a|i want a|i'd like a|show|tell me|looking for)\b|\btherapist\b", re.IGNORECASE)
# "How do I do it?" is no question of its own: what it refers to may be the risk.
_REFERS = re.compile(r"\b(?:it|that|this|them|him|her)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Thresholds:
    """Scores from which a message counts; chosen by cross-validation (assistant/safety/training.py)."""

    crisis: float
    crisis_long: float  # in a message that is read sentence by sentence
    heavy: float
    joined: float

    def least(self, meaning: Judgement) -> float:
        """Return the score from which `meaning` is a crisis."""
        return self.crisis_long if meaning.long else self.crisis


def found_by_phrases(level: str, meaning: Judgement) -> bool:
    """Whether phrases of `level` make it a crisis, with or without the meaning's consent."""
    return level == "crisis" and (meaning is NOTHING or meaning.crisis >= OVERRULED)


class SafetyCheck:
    """Says whether somebody may be at risk. One instance serves all threads."""

    def __init__(self, folder: Path, normaliser: Normaliser, phrases: PhraseDetector, featurizer: Featurizer,
                 weights: Weights, thresholds: Thresholds, encoder: Optional[Embedder]) -> None:
        self.folder, self.thresholds = folder, thresholds  # folder: where phrases, helplines and replies stand
        self._normaliser, self._phrases, self._featurizer, self._weights = normaliser, phrases, featurizer, weights
        self._meaning = MeaningDetector(featurizer, weights, encoder)

    @classmethod
    def fit(cls, data: Path, encoder: Embedder, cache: Optional[Path] = None) -> "SafetyCheck":
        """Learn from data/safety (`data`), or take the result from `cache` when nothing has changed since.

        Raises ContentError for a file that cannot be read. It takes minutes; `cache` is a folder for built things.
        """
        from assistant.safety.training import fit_or_cached  # the trainer needs this class

        return fit_or_cached(data, encoder, cache)

    def check(self, text: str, previous: str = "") -> Verdict:
        """Return the verdict on `text`; `previous` is what the same visitor wrote just before, for a split disclosure."""
        sentences = self._normaliser.sentences(text)
        verdict = self._verdict(sentences)
        if verdict.level != "crisis" and previous:
            joined = self._joined(self._normaliser.sentences(previous), sentences)
            verdict = joined or verdict
        if verdict.level == "crisis":
            verdict = replace(verdict, rest=self._rest(sentences))
        return verdict

    def read(self, sentences: Sequence[Sentence]) -> Reading:
        """Return the words of `sentences`, the phrases in them and the units to judge."""
        return read(sentences, self._phrases)

    def save(self, folder: Path) -> None:
        """Write all that `load` needs to `folder`: arrays, words, and the files of texts."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in COPIED:
            if self.folder != folder:
                shutil.copyfile(self.folder / name, folder / name)
        arrays = {**vars(self._weights), **{name: getattr(self._weights, name).astype(np.float16) for name in NEIGHBOURS}}
        np.savez_compressed(folder / "model.npz", frequencies=self._featurizer.frequencies, **arrays)  # type: ignore[arg-type]
        described = {"format": FORMAT, "thresholds": asdict(self.thresholds), "words": sorted(self._normaliser.words)}
        (folder / "model.json").write_text(json.dumps(described), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, encoder: Optional[Embedder]) -> "SafetyCheck":
        """Return the check that `save` wrote; with `encoder` None the phrases judge alone.

        Raises ModelError when the folder is incomplete or of another version.
        """
        try:
            described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            if described["format"] != FORMAT:
                raise ModelError(f"{folder}: safety model of format {described['format']}, not {FORMAT}. Train again: `make train`.")
            with np.load(folder / "model.npz", allow_pickle=False) as arrays:
                weights = Weights(arrays["basis"], arrays["alpha"], arrays["ngrams"], arrays["flags"], arrays["axes"],
                                  *(arrays[name].astype(np.float32) for name in NEIGHBOURS))
                frequencies = arrays["frequencies"]
            thresholds = Thresholds(**described["thresholds"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{folder}: the safety model cannot be read: {error!r}. Train again: `make train`.") from error
        phrases = PhraseDetector(folder / "phrases.yml")
        normaliser = Normaliser(described["words"], phrases.words, phrases.spellings)
        return cls(folder, normaliser, phrases, Featurizer(phrases, frequencies), weights, thresholds, encoder)

    def _verdict(self, sentences: Sequence[Sentence]) -> Verdict:
        reading = self.read(sentences)
        return self.decide(self._phrases.find(reading.tokens, reading.matches), self._meaning.judge(reading))

    def decide(self, phrases: Phrases, meaning: Judgement) -> Verdict:
        """Join what the two detectors say."""
        by_phrases = found_by_phrases(phrases.level, meaning)
        least = self.thresholds.least(meaning)
        by_meaning = meaning.crisis >= least
        if by_phrases or by_meaning:
            level = "crisis"
            category = phrases.category or CATEGORIES[meaning.category]
        elif phrases.level != "none" or meaning.heavy >= self.thresholds.heavy:
            level = "concern"
            category = "third_party" if meaning.third_party > 0 else ""
        else:
            level, category = "none", ""
        fitting = [topic for topic, fits in _TOPIC_FITS.items() if topic in phrases.topics and (category if level == "crisis" else "") in fits]
        return Verdict(
            level=level, category=category, topic=fitting[0] if fitting and level != "none" else "",
            detector="" if level == "none" else "phrases" if by_phrases or (phrases.level == level and not by_meaning) else "meaning",
            score=float(np.clip((meaning.crisis + 1) / 2, 0, 1)), explicit=phrases.explicit, child=phrases.child,
            denial=phrases.denial, near=not by_phrases and abs(meaning.crisis - least) < NEAR,
        )

    def _joined(self, before: Sequence[Sentence], now: Sequence[Sentence]) -> Optional[Verdict]:
        """Return the verdict on two messages read as one sentence, if only together they are a crisis."""
        if not before or sum(len(one.tokens) for one in (*before, *now)) > LONGEST_JOINED:
            return None
        tokens = tuple(token for one in (*before, *now) for token in one.tokens if token != STOP)
        reading = self.read([Sentence("", tokens, False)])
        phrases, meaning = self._phrases.find(reading.tokens, reading.matches), self._meaning.judge(reading)
        if phrases.level != "crisis" and meaning.crisis < self.thresholds.joined:
            return None
        if self._verdict(before).level == "crisis":
            return None
        return self.decide(phrases, replace(meaning, crisis=max(meaning.crisis, self.thresholds.crisis)))

    def _rest(self, sentences: Sequence[Sentence]) -> str:
        """Return the last sentences that ask something and carry no risk, as they were typed."""
        asked = {one.source: one for one in sentences if _ASKS.search(one.source) and not _REFERS.search(one.source)}
        return " ".join(source for source, one in list(asked.items())[-MOST_ASKED:] if self._verdict([one]).level == "none")

"""From a message as it was typed to sentences of plain words.

A fold (a digit for a letter, a doubled letter, a slip of the pen, words run together) counts only where it makes a
known word, so that names and ordinary words stay as they are.
"""
from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Collection, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from rapidfuzz.distance import OSA

from assistant.safety.unicode import plain

STOP = "."  # the token for the end of a sentence

_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_CLAUSE = re.compile(r"[,;:(]\s|\s-+\s|\s(?=(?:but|because|cos|coz|and|so|although|though|except)\s)")
_ENDS = re.compile(r"[.!?…]\s*$")
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W_](?:[\s.\-_*~|,/]{1,2}|\s{1,2})){3,}[^\W_](?![^\W_])")
_CHUNK = re.compile(r"[^\s\"“”()\[\]{}<>,;:=\\~^]+")
_LETTERS = re.compile(r"[a-z]")
_LEET = {"0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "!": "i",
         "|": "il", "+": "t", "€": "e", "£": "l", "¡": "i"}
_KEPT_SHORT = frozenset({"i", "a"})
_NOT = "is was were are do does did have has had would could should must need".split()
# Written out, so that each pattern and each example is met in one form.
CONTRACTIONS: Dict[str, str] = {
    **{f"{verb}n't": f"{verb} not" for verb in _NOT}, **{f"{verb}nt": f"{verb} not" for verb in _NOT},
    "ain't": "am not", "aint": "am not", "can't": "can not", "cant": "can not", "cannot": "can not",
    "won't": "will not", "wont": "will not", "shan't": "will not",
    "i'm": "i am", "im": "i am", "i've": "i have", "ive": "i have", "i'll": "i will", "i'd": "i would", "id": "i would",
    "imma": "i am going to", "he's": "he is", "hes": "he is", "she's": "she is", "shes": "she is", "he'll": "he will",
    "she'll": "she will", "he'd": "he would", "she'd": "she would", "they're": "they are", "theyre": "they are",
    "they've": "they have", "theyve": "they have", "they'll": "they will", "theyll": "they will", "it'll": "it will",
    "you're": "you are", "youre": "you are", "you've": "you have", "youve": "you have", "you'll": "you will",
    "we're": "we are", "we've": "we have", "weve": "we have", "we'll": "we will", "we'd": "we would",
    "there's": "there is", "theres": "there is", "that's": "that is", "thats": "that is", "what's": "what is",
    "whats": "what is", "who's": "who is", "it's": "it is", "who'd": "who would", "would've": "would have",
    "should've": "should have", "could've": "could have", "nobody's": "nobody is", "dunno": "do not know",
}


@dataclass(frozen=True)
class Sentence:
    """A sentence: `source` as it was typed, `tokens` as plain words (punctuation left out, emoji kept)."""

    source: str
    tokens: Tuple[str, ...]
    ends: bool  # whether a full stop, question or exclamation mark closes it
    clauses: Tuple[int, ...] = ()  # where in `tokens` a comma, a dash or a joining word begins another clause


class Normaliser:
    """Splits a message into sentences and folds each word onto a known one.

    `words`: ordinary words, never changed. `risky`: words of the risk phrases, onto which slips of the pen are folded.
    `spellings`: fixed foldings, the value may be several words.
    """

    def __init__(self, words: Collection[str], risky: Collection[str], spellings: Mapping[str, str]) -> None:
        self.risky: FrozenSet[str] = frozenset(risky)
        self.words: FrozenSet[str] = frozenset(words) | self.risky
        self.spellings = {**CONTRACTIONS, **spellings}
        self._pairs = {tuple(key.split()): value for key, value in self.spellings.items() if " " in key}
        self._pieces = self.risky | {key for key in self.spellings if len(key) > 2 and key.isalpha()}
        self._long = sorted(word for word in self.risky if len(word) >= 6)
        self._squeezed: Dict[str, str] = {}
        for word in itertools.chain(sorted(self.words, key=len, reverse=True), sorted(self.risky, key=len, reverse=True)):
            self._squeezed[_squeeze(word)] = word  # a risky word wins, then the shortest

    def sentences(self, text: str) -> List[Sentence]:
        """Return the sentences of `text`, in order; one without a word is left out."""
        found: List[Sentence] = []
        for source in _SENTENCE.split(text):
            cleaned = plain(source)
            # The prefix of a command and what look like several lines after folding are read as one sentence each.
            for part in cleaned.split("\n"):
                tokens, clauses = self._clauses(part)
                if tokens:
                    found.append(Sentence(source.strip(), tuple(tokens), bool(_ENDS.search(part)), clauses))
        return _joined(found)

    def _clauses(self, cleaned: str) -> Tuple[List[str], Tuple[int, ...]]:
        """Return the tokens, and where each clause but the first begins."""
        if _SPACED.search(cleaned):  # a comma between spaced-out letters is no border
            return self.tokens(cleaned), ()
        tokens: List[str] = []
        borders: List[int] = []
        for piece in _CLAUSE.split(cleaned):
            found = self.tokens(piece)
            if tokens and found:
                borders.append(len(tokens))
            tokens.extend(found)
        return tokens, tuple(borders)

    def tokens(self, cleaned: str) -> List[str]:
        """Return the words of `cleaned` (an output of `plain`), folded; sentence marks are left out."""
        spread = _SPACED.sub(self._unspaced, cleaned)
        return self._paired([token for chunk in _CHUNK.findall(spread) for token in self._fold_chunk(chunk)])

    def _paired(self, tokens: List[str]) -> List[str]:
        """Fold what is written as two words (`my self`)."""
        result: List[str] = []
        for token in tokens:
            pair = (result[-1], token) if result else ()
            if pair in self._pairs:
                result[-1:] = self._pairs[pair].split()
            else:
                result.append(token)
        return result

    def _unspaced(self, match: "re.Match[str]") -> str:
        """Join letters that stand apart (`k i l l  m y s e l f`); two spaces part words where one parts letters."""
        raw = match.group()
        words = re.split(r"\s{2,}|\n", raw) if re.search(r"[^\s]\s[^\s]", raw) or "." in raw or "-" in raw else [raw]
        joined = ["".join(re.findall(r"[^\W_]", word)) for word in words]
        return " " + " ".join(word for word in joined if word) + " "

    def _fold_chunk(self, chunk: str) -> List[str]:
        quoted = chunk.strip(".!?…'*_-/|+")
        bare = quoted.replace("'", "")
        if not bare:
            return []
        for form in (quoted, bare):
            if form in self.spellings:
                return self.spellings[form].split()
        if bare in self.words:
            return [bare]
        hidden = self._leet(chunk.rstrip(".!?…'").replace("'", ""))
        if hidden:
            return [hidden]
        starred = self._starred(bare)
        if starred:
            return [starred]
        parts = [part for part in re.split(r"[-/._*|+&…!?]+", bare) if part]
        return [token for part in parts for token in self._fold(part)]

    def _fold(self, word: str) -> List[str]:
        if word in self.spellings:
            return self.spellings[word].split()
        if word in self.words:
            return [word]
        squeezed = _squeeze(word)
        if squeezed != word:
            if squeezed in self.spellings:
                return self.spellings[squeezed].split()
            if squeezed in self._squeezed:
                return [self._squeezed[squeezed]]
        return self._parted(word) or self._parted(squeezed) or [self._slip(word) or self._slip(squeezed) or word]

    def _leet(self, word: str) -> Optional[str]:
        """Return the known word that `word` spells with digits or signs for letters, if there is one."""
        if not _LETTERS.search(word) or not any(sign in _LEET for sign in word) or len(word) > 24:
            return None
        choices = [_LEET.get(sign, sign) for sign in word]
        for letters in itertools.islice(itertools.product(*choices), 16):
            folded = "".join(letters)
            for candidate in (folded, self._squeezed.get(_squeeze(folded), "")):
                if candidate in self.words and len(candidate) > 2:
                    return candidate
        return None

    def _starred(self, word: str) -> Optional[str]:
        """Return the risky word of which `word` hides letters (`k*ll`, `s***ide`, `su_cide`)."""
        if not re.search(r"(?<=[a-z])[*_#.\-]+(?=[a-z])", word) or len(word) < 3:
            return None
        if all(part in self.words for part in re.split(r"[*_#.\-]+", word)):
            return None
        pattern = re.compile(re.sub(r"(?:\\?[*_#.\-])+", "[a-z]{1,4}", word) + "$")
        fits = [known for known in self.risky if len(known) > 2 and pattern.match(known)]
        return min(fits, key=lambda known: (abs(len(known) - len(word)), known)) if fits else None

    def _parted(self, word: str) -> Optional[List[str]]:
        """Return the words run together in `word` (`killmyself`), all of them risky or short function words."""
        if not 6 <= len(word) <= 80 or not word.isalpha():
            return None
        best: List[Optional[List[str]]] = [[]] + [None] * len(word)
        for end in range(1, len(word) + 1):
            for start in range(max(0, end - 14), end):
                piece, before = word[start:end], best[start]
                if before is None or not (piece in self._pieces and (len(piece) > 1 or piece in _KEPT_SHORT)):
                    continue
                if best[end] is None or len(before) + 1 < len(best[end] or ()):
                    best[end] = before + [piece]
        found = best[len(word)]
        return [token for piece in found for token in self.spellings.get(piece, piece).split()] if found else None

    def _slip(self, word: str) -> Optional[str]:
        """Return the long risky word that is one slip away from `word` (a letter more, less, other, or two swapped)."""
        if len(word) < 5 or not word.isalpha():
            return None
        for known in self._long:
            if known[0] == word[0] and abs(len(known) - len(word)) <= 1 and OSA.distance(known, word, score_cutoff=1) <= 1:
                return known
        return None


def flat(sentences: Sequence[Sentence]) -> List[str]:
    """Return the tokens of `sentences` in one list, with STOP where a sentence was closed."""
    return [token for one in sentences for token in (*one.tokens, *((STOP,) if one.ends else ()))]


def _squeeze(word: str) -> str:
    return re.sub(r"(.)\1+", r"\1", word)


def _joined(sentences: Sequence[Sentence]) -> List[Sentence]:
    """Join runs of three or more sentences of one word each ("I. Want. To. Die."): they are one sentence."""
    result: List[Sentence] = []
    for single, run in itertools.groupby(sentences, key=lambda one: len(one.tokens) == 1):
        group = list(run)
        if single and len(group) >= 3:
            result.append(Sentence(" ".join(one.source for one in group),
                                   tuple(token for one in group for token in one.tokens), group[-1].ends))
        else:
            result.extend(group)
    return result

"""The small language of data/safety/phrases.yml, turned into patterns for spaCy's Matcher.

`word`, `(a|b c)` alternatives, `<list>` a named list of alternatives, `_` any one word, `~` up to three words;
behind a word or a bracket `?` may be missing, `*` any number, `+` one or more (then each word of the bracket counts by
itself). No pattern crosses the end of a sentence.
"""
from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Mapping, Optional

from assistant.errors import ContentError
from assistant.safety.normalise import STOP

Token = Dict[str, Any]
Pattern = List[Token]
GAP = 3  # words that `~` may stand for
MOST = 500  # patterns that one line may unfold to

_ANY: Token = {"ORTH": {"NOT_IN": [STOP]}}
_SYMBOL = re.compile(r"[()|?*+]|<\w+>|[^\s()|?*+<>]+")


def compile_line(line: str, lists: Mapping[str, str]) -> List[Pattern]:
    """Return the Matcher patterns of one line.

    Raises ContentError for an unknown list, a misplaced sign, and a line that unfolds too far.
    """
    reader = _Reader(line, lists)
    patterns = reader.sequence()
    if reader.symbols:
        raise reader.error(f"cannot read `{' '.join(reader.symbols)}`")
    # Matcher refuses a pattern of which every token may be missing.
    return [pattern for pattern in patterns if any(token.get("OP", "+") == "+" for token in pattern)]


def words_of(line: str, lists: Mapping[str, str]) -> Iterator[str]:
    """Yield the words that a line names."""
    for pattern in compile_line(line, lists):
        for token in pattern:
            named = token["ORTH"]
            if isinstance(named, str):
                yield named
            else:
                yield from named.get("IN", ())


class _Reader:
    """Reads a line from left to right into the list of token patterns that it stands for."""

    def __init__(self, line: str, lists: Mapping[str, str]) -> None:
        self.line, self.lists = line, lists
        self.symbols = self._symbols(line)

    def error(self, problem: str) -> ContentError:
        return ContentError(f"phrases.yml: `{self.line}`: {problem}. The head of the file explains the signs.")

    def sequence(self) -> List[Pattern]:
        """Read items up to `|`, `)` or the end."""
        patterns: List[Pattern] = [[]]
        while self.symbols and self.symbols[0] not in "|)":
            choices = self._item()
            patterns = [[*before, *after] for before in patterns for after in choices]
            if len(patterns) > MOST:
                raise self.error(f"unfolds to more than {MOST} patterns: split it into several lines")
        return patterns

    def _item(self) -> List[Pattern]:
        symbol = self.symbols.pop(0)
        if symbol == "(":
            choices = self._group()
        elif symbol == "~":
            choices = [[{**_ANY, "OP": "?"} for _ in range(GAP)]]
        elif symbol == "_":
            choices = [[dict(_ANY)]]
        elif symbol in "?*+":
            raise self.error(f"`{symbol}` has nothing before it")
        else:
            choices = [[{"ORTH": symbol}]]
        return self._signed(choices)

    def _signed(self, choices: List[Pattern]) -> List[Pattern]:
        sign: Optional[str] = self.symbols.pop(0) if self.symbols and self.symbols[0] in "?*+" else None
        if sign is None:
            return choices
        if len(choices) == 1 and len(choices[0]) == 1:
            return [[{**choices[0][0], "OP": sign}]]
        if sign == "?":
            return [*choices, []]
        words = sorted({word for pattern in choices for token in pattern for word in _words_of_one([token])})
        return [[{"ORTH": {"IN": words}, "OP": sign}]]

    def _group(self) -> List[Pattern]:
        """Read alternatives up to `)`: the single words become one token, the others a pattern each."""
        found: List[Pattern] = self.sequence()
        while self.symbols and self.symbols[0] == "|":
            self.symbols.pop(0)
            found.extend(self.sequence())
        if not self.symbols:
            raise self.error("a bracket is not closed")
        self.symbols.pop(0)
        words: List[str] = []
        several: List[Pattern] = []
        for pattern in found:
            single = _words_of_one(pattern)
            words.extend(single)
            several.extend([] if single else [pattern])
        return ([[{"ORTH": {"IN": sorted(set(words))} if len(set(words)) > 1 else words[0]}]] if words else []) + several

    def _symbols(self, text: str) -> List[str]:
        symbols: List[str] = []
        for symbol in _SYMBOL.findall(text):
            if symbol.startswith("<"):
                if symbol[1:-1] not in self.lists:
                    raise self.error(f"there is no list {symbol}; lists: {', '.join(sorted(self.lists))}")
                symbols.extend(self._symbols(self.lists[symbol[1:-1]]))
            else:
                symbols.append(symbol)
        return symbols


def _words_of_one(pattern: Pattern) -> List[str]:
    """Return the words of a pattern of one plain token, else nothing."""
    if len(pattern) != 1 or "OP" in pattern[0]:
        return []
    named = pattern[0]["ORTH"]
    return [named] if isinstance(named, str) else list(named.get("IN", ()))

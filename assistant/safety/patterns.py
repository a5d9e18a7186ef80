"""The small language of data/safety/phrases.yml, turned into regular expressions over words.

`word`, `(a|b c)` alternatives, `<list>` a named list of alternatives, `_` any one word, `~` up to three words;
behind a word or a bracket `?` may be missing, `*` any number, `+` one or more. No pattern crosses the end of a sentence.

Each word is one character of the text that the expressions see: a set of words is a character class, so that two
thousand patterns cost less than a millisecond (spaCy's Matcher: ten for the same patterns on a message of 30 words).
"""
from __future__ import annotations

import re
from typing import Collection, Dict, Iterable, List, Mapping, Set

from assistant.errors import ContentError
from assistant.safety.normalise import STOP

GAP = 3  # words that `~` may stand for

_SYMBOL = re.compile(r"[()|?*+]|<\w+>|[^\s()|?*+<>]+")
_FIRST = 0x4E00  # the characters that stand for words: letters to `re`, none of them special
_UNKNOWN = chr(_FIRST)  # for every word that no pattern names
_STOP = chr(_FIRST + 1)


class Coder:
    """Gives each word of the patterns a character of its own."""

    def __init__(self, words: Collection[str]) -> None:
        self._codes: Dict[str, str] = {word: chr(_FIRST + 2 + place) for place, word in enumerate(sorted(words))}
        self._codes[STOP] = _STOP

    def code(self, tokens: Iterable[str]) -> str:
        """Return one character a token."""
        return "".join(self._codes.get(token, _UNKNOWN) for token in tokens)

    def compile(self, line: str, lists: Mapping[str, str]) -> "re.Pattern[str]":
        """Return the expression of one line; raises ContentError for an unknown list, a misplaced sign or an empty match."""
        reader = _Reader(line, lists, self)
        expression = reader.alternatives()
        if reader.symbols:
            raise reader.error(f"cannot read `{' '.join(reader.symbols)}`")
        compiled = re.compile(expression)
        if compiled.match(""):
            raise reader.error("every word of it may be missing")
        return compiled


def words_of(line: str, lists: Mapping[str, str]) -> Set[str]:
    """Return the words that a line names; raises ContentError for an unknown list."""
    return {symbol for symbol in _symbols(line, line, lists) if symbol not in ("(", ")", "|", "?", "*", "+", "_", "~")}


class _Reader:
    """Reads a line from left to right."""

    def __init__(self, line: str, lists: Mapping[str, str], coder: Coder) -> None:
        self.line, self.coder = line, coder
        self.symbols = _symbols(line, line, lists)

    def error(self, problem: str) -> ContentError:
        return _error(self.line, problem)

    def alternatives(self) -> str:
        """Read `a|b c|…` up to a closing bracket or the end."""
        found = [self._sequence()]
        while self.symbols and self.symbols[0] == "|":
            self.symbols.pop(0)
            found.append(self._sequence())
        if all(len(one) == 1 for one in found):
            return f"[{''.join(found)}]" if len(found) > 1 else found[0]
        return f"(?:{'|'.join(found)})" if len(found) > 1 else found[0]

    def _sequence(self) -> str:
        items: List[str] = []
        while self.symbols and self.symbols[0] not in ("|", ")"):
            items.append(self._item())
        if not items:
            raise self.error("an alternative is empty")
        return "".join(items)

    def _item(self) -> str:
        symbol = self.symbols.pop(0)
        if symbol in ("?", "*", "+"):
            raise self.error(f"`{symbol}` has nothing before it")
        if symbol == "~":
            return f"[^{_STOP}]{{0,{GAP}}}?"
        if symbol == "_":
            item = f"[^{_STOP}]"
        elif symbol == "(":
            item = self.alternatives()
            if not self.symbols:
                raise self.error("a bracket is not closed")
            self.symbols.pop(0)
        else:
            item = self.coder.code([symbol])
        if self.symbols and self.symbols[0] in ("?", "*", "+"):
            item = f"(?:{item}){self.symbols.pop(0)}" if len(item) > 1 and not item.startswith("[") else item + self.symbols.pop(0)
        return item


def _symbols(text: str, line: str, lists: Mapping[str, str]) -> List[str]:
    symbols: List[str] = []
    for symbol in _SYMBOL.findall(text):
        if not symbol.startswith("<"):
            symbols.append(symbol)
        elif symbol[1:-1] in lists:
            symbols.extend(_symbols(lists[symbol[1:-1]], line, lists))
        else:
            raise _error(line, f"there is no list {symbol}; lists: {', '.join(sorted(lists))}")
    return symbols


def _error(line: str, problem: str) -> ContentError:
    return ContentError(f"phrases.yml: `{line}`: {problem}. The head of the file explains the signs.")

"""Taking out of a text what could tell who wrote it, before anything that lives longer than the chat sees it.

Each find is replaced by a word in square brackets, so that a reader still understands the sentence. Numbers of helplines
and of emergencies are short and stay.
"""
from __future__ import annotations

import re
from typing import Callable, Union

_Replacement = Union[str, Callable[["re.Match[str]"], str]]

# Words that end a name in running text without capitals: "my name is jane and i feel low".
_NOT_A_NAME = (
    r"(?!(?:a|an|and|any|are|as|at|be|been|because|but|can|do|from|for|feeling|going|have|having|here|how|i|i'm|im|if|in|is|it|looking|"
    r"my|not|of|on|or|please|really|so|struggling|than|that|the|there|they|this|to|was|we|what|who|when|where|which|with|would|you|your)\b)"
)
_WORD = r"[^\W\d_][\w'’-]*"
_ANY_NAME = rf"{_NOT_A_NAME}{_WORD}(?:[ \t]+{_NOT_A_NAME}{_WORD}){{0,2}}"
_CAPITAL = r"(?-i:[A-ZÀ-ÖØ-Þ][\w'’-]+)"
_CAPITAL_NAME = rf"{_CAPITAL}(?:[ \t]+{_CAPITAL}){{0,2}}"
# "I'm Jane" names, "I'm British" and "I'm OK" do not.
_CAPITAL_BUT_NO_NAME = (
    r"(?!(?:I|I'm|OK|Okay|Not|British|English|Scottish|Welsh|Irish|European|American|Asian|African|Black|White|Christian|Muslim|Jewish|"
    r"Hindu|Sikh|Catholic|Buddhist|Autistic|Bipolar|Anxious|Avoidant|Secure|Disorganised|Depressed|Gay|Trans|Bi|In|At|From|On|So|Very|"
    r"Really|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Mum|Dad|GP|PTSD|ADHD|OCD|BPD|CPTSD|NHS|CBT|LGBT\w*)\b)"
)
_RELATION = (
    r"(?:mum|mom|mother|dad|father|son|daughter|brother|sister|husband|wife|partner|boyfriend|girlfriend|ex|friend|child|baby|boy|girl|"
    r"aunt|uncle|nan|gran|grandad|cousin|boss|therapist|counsellor|psychologist|doctor|gp|teacher)"
)
_STREET = r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|close|court|crescent|gardens|grove|terrace|place|way|square|mews|hill)"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"


def _telephone(found: "re.Match[str]") -> str:
    digits = sum(character.isdigit() for character in found[0])
    return "[phone]" if 9 <= digits <= 15 else found[0]


# In this order: what is more particular stands before what would swallow a part of it.
_RULES: tuple[tuple["re.Pattern[str]", _Replacement], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement) for pattern, replacement in (
        (r"[\w.+'-]+\s?(?:@|\(at\)|\[at\]|\sat\s(?=[\w-]+\s?(?:\.|\sdot\s)))\s?"
         r"[\w-]+(?:\s?(?:\.|\(dot\)|\sdot\s)\s?[a-z]{2,})+", "[email]"),
        (r"(?:https?://|www\.)\S+", "[link]"),
        (r"(?<![\w@])@[\w.]{2,}", "[handle]"),
        (r"\b(?:\d[ -]?){13,16}(?!\d)", "[number]"),
        (r"\bnhs\s*(?:number|no\.?|num)?\s*(?:is|:)?\s*\d{3}[ -]?\d{3}[ -]?\d{4}\b", "[NHS number]"),
        (r"(?<!\d)(?!0)\d{3}[ -]\d{3}[ -]\d{4}(?!\d)|(?<![\d+])[1-9]\d{9}(?!\d)", "[NHS number]"),
        (r"\b[a-ceghj-prstw-z][a-ceghj-nprstw-z] ?\d{2} ?\d{2} ?\d{2} ?[a-d]\b", "[number]"),
        (r"(?<![\w])(?:\+|\(?0)[\d() .\-/]{7,20}\d", _telephone),
        (r"(?<!\d)\d{1,2}[/.\-]\d{1,2}[/.\-](?:19|20)?\d{2}(?!\d)", "[date]"),
        (rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH},? (?:19|20)\d{{2}}\b|"
         rf"\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d{{2}}\b", "[date]"),
        (rf"\b(?:flat \d+\w?,? )?\d{{1,4}}[a-d]? (?:[a-z'’-]+ ){{1,3}}{_STREET}\b\.?", "[address]"),
        # https://ideal-postcodes.co.uk/guides/uk-postcode-format: the outward part (a district of thousands) stays.
        (r"\b([a-z]{1,2}\d[a-z\d]?)[ \t]*\d[abd-hjlnp-uw-z]{2}\b", lambda found: found[1].upper()),
        (r"\b((?:my (?:full |first |real )?name(?:'s|’s| is)|"
         r"(?:i am|i'm|i’m|im|he is|he's|she is|she's|who is|who's) (?:called|named)|call me|"
         rf"(?:is|was|are) (?:called|named))[ \t]+){_ANY_NAME}", r"\1[name]"),
        (rf"\b((?:this is|it's|it’s|i am|i'm|i’m|im)[ \t]+){_CAPITAL_BUT_NO_NAME}{_CAPITAL_NAME}"
         r"(?=[ \t]*(?:[.,;:!?)\n]|\Z|and\b|from\b|here\b|by\b|aged?\b|speaking\b))",
         r"\1[name]"),
        (rf"\b((?:mr|mrs|ms|miss|mx|dr|prof|professor|rev)\.?[ \t]+){_CAPITAL_NAME}", r"\1[name]"),
        (rf"\b({_RELATION},?[ \t]+(?:is[ \t]+|called[ \t]+|named[ \t]+|dr\.?[ \t]+)?){_CAPITAL_BUT_NO_NAME}{_CAPITAL_NAME}", r"\1[name]"),
        (r"((?:regards|thanks|thank you|cheers|best wishes|yours|love|from),?[ \t]*\n?[ \t]*)"
         rf"{_CAPITAL_BUT_NO_NAME}{_CAPITAL_NAME}(?=\s*\Z)",
         r"\1[name]"),
    )
)


def redact(text: str) -> str:
    """Return `text` with e-mail addresses, links, telephone, NHS, insurance and card numbers, dates, street addresses,
    postcodes beyond their outward part, and names that are given as names, replaced by words in brackets."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text

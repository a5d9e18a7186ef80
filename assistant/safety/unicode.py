"""Undoes what hides letters from a reader of bytes: look-alikes, invisible characters, accents, fancy fonts."""
from __future__ import annotations

import re
import unicodedata
from typing import Dict

_INVISIBLE = {"Mn", "Me", "Cf", "Cs", "Co", "Cn"}  # accents, zero-width and variation characters, lone surrogates

# Letters of other scripts that look like Latin ones (after Unicode TR 39), capitals where they look different.
_PAIRS = (
    "аaеeоoрpсcуyхxіiјjѕsԁdԛqԝwһhӏlкkмmнhтtвbгrпnёeўy" "АaЕeОoРpСcУyХxІiЈjЅsКkМmНhТtВbЬb"
    "αaεeιiκkνvοoρpτtυuχxγyωwζzηnβbμuσoςs" "ΑaΕeΙiΚkΝnΟoΡpΤtΥyΧxΖzΗhΒbΜm"
    "ıiłlØoøođdħhŧtɑaɡgɩiɪiɴnʀrʏyʙbʟlɢgʜhᴀaᴄcᴅdᴇeᴊjᴋkᴍmᴏoᴘpᴛtᴜuᴠvᴡwᴢzꜰfꜱsǫqɛeɔoʋvɯwʍmƙkɗdƭt"
    "օoսuհhոnցgքfզqԱuՏsᎥiᏦkᎬeᎠdᎳwᎢiᏞlᏃzᎪaᏚsᏟcᏢpⲟoⲥcⲣpꓑpꓓdꓔtꓗkꓡlꓢsꓮaꓰeꓳoꓲi"
)
_LOOKALIKES: Dict[int, str] = {ord(_PAIRS[i]): _PAIRS[i + 1] for i in range(0, len(_PAIRS), 2)}
_LOOKALIKES.update({ord("æ"): "ae", ord("œ"): "oe", ord("ß"): "ss", ord("’"): "'", ord("‘"): "'", ord("`"): "'",
                    ord("ʼ"): "'", ord("´"): "'", ord("“"): '"', ord("”"): '"', ord("–"): "-", ord("—"): " - "})
for _first in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6):  # letters in squares, in circles, and the letters of flags
    _LOOKALIKES.update({_first + i: chr(97 + i) for i in range(26)})

_PREFIX = re.compile(r"^[\s/]*/(\w+)(?:@[\d.]+)?(\{[^}]*\})?")
_EMOJI_BREAK = {"So", "Sk"}


def plain(text: str) -> str:
    """Return `text` in lower-case Latin letters: same words, no invisible characters, emoji kept apart by spaces.

    NFKC comes first, so that fonts of mathematical letters, full-width forms and ligatures become letters.
    A command in front (`/greet@1 …`, `/greet{"a":"…"} …`) moves behind the text and becomes words.
    """
    text = unicodedata.normalize("NFKC", text).translate(_LOOKALIKES)
    # A word that is cut by an invisible character is one word; a line that is cut by one is read below as words run together.
    kept = []
    for character in unicodedata.normalize("NFKD", text):
        category = unicodedata.category(character)
        if category in _INVISIBLE:
            continue
        if category in _EMOJI_BREAK and not "🏻" <= character <= "🏿":
            kept.append(f" {character} " if character not in "^`´¨" else " ")
        elif category == "Sk":
            continue
        else:
            kept.append(" " if category in ("Cc", "Zs", "Zl", "Zp") and character != "\n" else character)
    folded = "".join(kept).translate(_LOOKALIKES).lower().replace("ⅼ", "l")
    return _without_prefix(folded)


def _without_prefix(text: str) -> str:
    found = _PREFIX.match(text)
    if not found:
        return text
    said = re.sub(r"[^a-z0-9' ]+", " ", " ".join(part.replace("_", " ") for part in found.groups("")))
    return f"{text[found.end():]}\n{said}"

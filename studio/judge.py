"""`python -m studio.judge ARCHIVE OUT`: what a trained model makes of the phrasings and of the safety set that it never saw.

Runs in the folder whose tests it reads, as a process of its own: a broken model ends this and nothing else.
"""
from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, Tuple

from assistant.encoder import Encoder
from assistant.errors import AssistantError
from assistant.release import unpack
from assistant.safety import SafetyCheck
from assistant.settings import Settings
from assistant.understanding.reader import SEVERAL, Reader
from studio.held_back import PHRASINGS, SAFETY, read_rows
from studio.meaning import Meaning


def judge(archive: Path, root: Path, settings: Settings) -> Dict[str, Any]:
    """Return {"version", "intents", "phrasings": {text: answered}, "safety": {text: [level, explicit]}}.

    `answered` is what the assistant would act on: an intent, several joined by commas, or nlu_fallback.
    """
    texts = [row[0] for name in PHRASINGS for row in read_rows(root / name)]
    safety = [row[0] for row in read_rows(root / SAFETY)]
    # Each message is embedded once for all models; the file belongs to the tests, which hold no visitor's words.
    meaning = Meaning(settings.var / "studio-tests.npz", lambda: Encoder.load(settings))
    with tempfile.TemporaryDirectory() as folder:
        release = unpack(archive, Path(folder) / "model")
        reader = Reader.load(release.understanding, _Kept(meaning))
        check = SafetyCheck.load(release.safety, _Kept(meaning))
        meaning.embed_both([*texts, *safety], keep=True)  # together, which is several times faster than one by one
        found = {
            "version": release.version,
            "intents": reader.classifier.intents,
            "phrasings": {text: _answered(reader, text) for text in texts},
            "safety": {text: _level(check, text) for text in safety},
        }
    meaning.store()
    return found


class _Kept:
    """The encoder with every embedding kept."""

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning

    def embed(self, texts: Any) -> Any:
        """As Encoder.embed."""
        return self._meaning.embed(texts, keep=True)

    def embed_both(self, texts: Any) -> Any:
        """As Encoder.embed_both."""
        return self._meaning.embed_both(texts, keep=True)

    def words(self) -> Any:
        """As Encoder.words."""
        return self._meaning.words()


def _answered(reader: Reader, text: str) -> str:
    reading = reader.read(text)
    return ",".join(reading.questions) if reading.intent == SEVERAL else reading.intent


def _level(check: SafetyCheck, text: str) -> Tuple[str, bool]:
    verdict = check.check(text)
    return verdict.level, verdict.explicit


def main() -> int:
    """Write the findings to the file OUT; return the exit code."""
    try:
        archive, out = Path(sys.argv[1]), Path(sys.argv[2])
        found = judge(archive, Path.cwd(), Settings.from_env())
    except AssistantError as error:
        print(error, file=sys.stderr)
        return 1
    out.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

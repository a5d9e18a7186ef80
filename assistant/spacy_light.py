"""spaCy without TensorFlow.

spaCy's engine imports TensorFlow wherever it is installed, for layers that nothing here uses: 3 seconds and 370 MB
in each process. Import spaCy through this module; where TensorFlow is loaded already (Rasa) nothing changes.
"""
from __future__ import annotations

import sys

_hidden = "tensorflow" not in sys.modules
if _hidden:
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # makes `import tensorflow` raise ImportError
try:
    import spacy
    from spacy.matcher import Matcher, PhraseMatcher
    from spacy.tokens import Doc, Span
finally:
    if _hidden:
        del sys.modules["tensorflow"]

__all__ = ["Doc", "Matcher", "PhraseMatcher", "Span", "spacy"]

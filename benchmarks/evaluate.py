"""`make evaluate FILE=x.tsv`: the trained model's understanding of held-back messages, safety left aside.

The file holds `text<TAB>intent`; a third column is ignored. `out_of_scope` must be turned down, and several intents
joined by commas must all be answered and nothing else. The NLU graph runs as Rasa runs it; what it hands to the
policies counts as answered.
"""
from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from sklearn.metrics import f1_score

from assistant.errors import ModelError
from assistant.settings import Settings
from assistant.understanding.classifier import OUT_OF_SCOPE
from assistant.understanding.reader import FALLBACK, OFFERED, SEVERAL
from benchmarks.cli import print_json, print_table, progress, read_tsv, run

MODEL = "assistant.tar.gz"
TURNED_DOWN = "(turned down)"
COMMON_CONFUSIONS = 15


@dataclass(frozen=True)
class Outcome:
    """What became of one message."""

    wanted: Tuple[str, ...]  # the intents, or (OUT_OF_SCOPE,)
    ranking: Tuple[str, ...]  # best first
    answered: Tuple[str, ...]  # the intents that are acted on; none when it is turned down

    @property
    def inside(self) -> bool:
        """Whether it asks one thing that the assistant knows."""
        return len(self.wanted) == 1 and self.wanted[0] != OUT_OF_SCOPE


def understand(texts: Sequence[str], settings: Settings) -> List[Dict[str, Any]]:
    """Return what the model's NLU graph makes of each text; raises ModelError when there is no model that loads."""
    path = settings.models / MODEL
    if not path.is_file():
        raise ModelError(f"{path.name}: there is no model. Run `make train`.")
    logging.disable(logging.WARNING)
    # These take seconds to import: after the file is known to be good.
    from rasa.core.agent import Agent
    from rasa.core.channels.channel import UserMessage
    from rasa.utils.log_utils import configure_structlog

    from addons.names import CHECKED

    configure_structlog(logging.ERROR)  # without it, structlog prints every message

    try:
        processor = Agent.load(str(path)).processor
    except Exception as error:  # whatever a broken archive or one from another version raises
        raise ModelError(f"{path.name}: does not load ({_reason(error)}). Run `make train`.") from None

    async def parse() -> List[Dict[str, Any]]:
        return [await processor.parse_message(UserMessage(text, metadata={CHECKED: True})) for text in texts]

    return asyncio.run(parse())


def _reason(error: BaseException) -> str:
    """Return the message of what first went wrong."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__


def outcome(intents: str, parsed: Mapping[str, Any]) -> Outcome:
    """Return what became of a message that asks `intents` (joined by commas), given what the NLU graph made of it."""
    intent = parsed["intent"]["name"]
    answered = tuple(parsed["questions"]) if intent == SEVERAL else (intent,)
    if intent in (FALLBACK, OUT_OF_SCOPE):
        answered = ()
    wanted = tuple(part.strip() for part in intents.split(",") if part.strip())
    return Outcome(wanted, tuple(entry["name"] for entry in parsed["intent_ranking"]), answered)


def figures(outcomes: Sequence[Outcome]) -> Dict[str, Any]:
    """Return the figures that `make evaluate` prints; null where the file has no rows of a kind."""
    inside = [item for item in outcomes if item.inside]
    outside = [item for item in outcomes if item.wanted == (OUT_OF_SCOPE,)]
    several = [item for item in outcomes if len(item.wanted) > 1]
    wanted = [item.wanted[0] for item in inside]
    return {
        "n": len(outcomes),
        "accuracy": _share([item.ranking[0] == item.wanted[0] for item in inside]),
        "answered_right": _share([item.answered == item.wanted for item in inside]),
        "macro_f1": _macro_f1(wanted, [item.ranking[0] for item in inside]),
        "top3": _share([item.wanted[0] in item.ranking[:OFFERED] for item in inside]),
        "out_of_scope_recall": _share([not item.answered for item in outside]),
        "false_rejections": _share([not item.answered for item in inside]),
        "multi_exact": _share([sorted(item.answered) == sorted(item.wanted) for item in several]),
    }


def _share(hits: Sequence[bool]) -> Optional[float]:
    return sum(hits) / len(hits) if hits else None


def _macro_f1(wanted: Sequence[str], got: Sequence[str]) -> Optional[float]:
    """Return the mean F1 over the intents that the file asks for."""
    if not wanted:
        return None
    return float(f1_score(wanted, got, labels=sorted(set(wanted)), average="macro", zero_division=0))


def confusions(outcomes: Sequence[Outcome]) -> List[Tuple[str, str, int]]:
    """Return the commonest pairs of wanted and answered that differ, with how often each came."""
    pairs = Counter(
        (",".join(item.wanted), ",".join(item.answered) or TURNED_DOWN)
        for item in outcomes
        if sorted(item.answered) != sorted(item.wanted) and (item.answered or item.wanted != (OUT_OF_SCOPE,))
    )
    return [(wanted, got, count) for (wanted, got), count in pairs.most_common(COMMON_CONFUSIONS)]


def main(given: List[str]) -> None:
    """Read the file, run the model, print."""
    rows = read_tsv(Path(given[0]), ("text", "intent"))
    progress(f"understanding {len(rows)} messages")
    parsed = understand([text for text, _ in rows], Settings.from_env())
    outcomes = [outcome(intents, result) for (_, intents), result in zip(rows, parsed)]
    result = figures(outcomes)
    if confusions(outcomes):
        print_table("Commonest confusions", ("wanted", "answered", "times"), confusions(outcomes))
    print_table("Understanding", ("figure", "value"), list(result.items()))
    print_json(result)


if __name__ == "__main__":
    run(main, "make evaluate FILE=x.tsv")

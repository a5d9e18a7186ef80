"""Runs the end-to-end test stories by Rasa's own test machinery and prints every failure.

    python -m scripts.test_stories [--model models/assistant.tar.gz] [tests/test_stories.yml]

`rasa test core --e2e` merges stories whose intents and actions are alike, names none of the turns that went wrong,
and exits with 0. Exit code here: 1 when any story fails, or two stories are the same.
"""
from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple, Optional, Sequence

from assistant.errors import AssistantError, InputFileError, ModelError
from assistant.settings import ROOT, Settings

STORIES = ROOT / "tests" / "test_stories.yml"


class Failure(NamedTuple):
    """One thing in one turn that came out otherwise than the story says."""

    story: str
    turn: int  # of the visitor, from 1
    said: str
    expected: str
    got: str

    def __str__(self) -> str:
        """Return the failure as one line."""
        return f"{self.story}, turn {self.turn} ({self.said!r}): expected {self.expected}, got {self.got}"


async def failures(agent: Any, stories: Path) -> tuple[int, List[Failure]]:
    """Return how many stories the file holds and what fails in them; `agent` is Rasa's Agent with a model."""
    from rasa.core.test import _predict_tracker_actions

    trackers = _read(agent, stories)
    if not trackers:
        raise InputFileError(f"{stories}: there is no test story in it.")
    found = list(_doubles(trackers))
    for tracker in trackers:
        _, played, _, _ = await _predict_tracker_actions(tracker, agent, use_e2e=True)
        found += _failures(tracker.sender_id, played)
    return len(trackers), found


def _read(agent: Any, stories: Path) -> List[Any]:
    """Return the stories as trackers, none merged with another."""
    from rasa.shared.core.generator import TrainingDataGenerator
    from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
    from rasa.shared.core.training_data.structures import StoryGraph

    # A generator a story: one for all would merge those whose intents and actions are alike.
    generators = [
        TrainingDataGenerator(StoryGraph([step]), agent.domain, use_story_concatenation=False, augmentation_factor=0)
        for step in YAMLStoryReader(agent.domain).read_from_file(stories)
    ]
    return [tracker for generator in generators for tracker in generator.generate_story_trackers()]


def _doubles(trackers: Sequence[Any]) -> Iterator[Failure]:
    """Yield the stories whose name, or whose every message, another story has too."""
    names = Counter(tracker.sender_id for tracker in trackers)
    yield from (Failure(name, 1, "", "a name of its own", f"{times} of it") for name, times in names.items() if times > 1)
    told: dict[tuple[str, ...], str] = {}
    for tracker in trackers:
        texts = tuple(event.text or "" for event in tracker.events if event.type_name == "user")
        if texts in told:
            yield Failure(tracker.sender_id, 1, texts[0], "messages of its own", f"those of {told[texts]!r}")
        told[texts] = tracker.sender_id


def _failures(story: str, played: Any) -> Iterator[Failure]:
    from rasa.core.test import WronglyClassifiedUserUtterance, WronglyPredictedAction
    from rasa.shared.core.events import UserUttered

    turn, said = 0, ""
    for event in played.events:
        if isinstance(event, UserUttered):
            turn, said = turn + 1, event.text or ""
        if isinstance(event, WronglyClassifiedUserUtterance):
            expected, got = event.intent["name"], event.predicted_intent
            if expected == got:
                expected, got = _entities(event.entities), _entities(event.predicted_entities)
            yield Failure(story, turn, said, expected, got)
        elif isinstance(event, WronglyPredictedAction):
            yield Failure(story, turn, said, event.action_name, event.action_name_prediction)


def _entities(found: Sequence[Any]) -> str:
    return "the entities " + (", ".join(f"{item['entity']}={item['value']}" for item in found) or "none")


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the stories; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.test_stories", description=__doc__)
    parser.add_argument("stories", nargs="?", type=Path, default=STORIES)
    parser.add_argument("--model", type=Path, default=Settings.from_env().models / "assistant.tar.gz")
    chosen = parser.parse_args(arguments)
    try:
        count, found = asyncio.run(_run(chosen.model, chosen.stories))
    except AssistantError as error:
        print(f"test_stories: {error}", file=sys.stderr)
        return 1
    for failure in found:
        print(failure)
    failed = len({failure.story for failure in found})
    print(f"{count} stories, {failed} failed.")
    return 1 if found else 0


async def _run(model: Path, stories: Path) -> tuple[int, List[Failure]]:
    for path, remedy in ((model, "Run `make train`."), (stories, "Name a file of test stories.")):
        if not path.is_file():
            raise (ModelError if path is model else InputFileError)(f"{path}: there is no such file. {remedy}")
    os.environ["LOG_LEVEL"] = "ERROR"  # Rasa's progress bars look at it
    from rasa.core.agent import Agent
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.ERROR)  # without it, structlog prints every message
    return await failures(Agent.load(str(model)), stories)


if __name__ == "__main__":
    sys.exit(main())

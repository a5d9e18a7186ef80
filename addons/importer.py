"""Reads the content under data/ once, for training.

Rasa's own importer parses each file about six times with a slow parser, and copies and hashes all phrasings for each
file that it merges: with sixty files and eight thousand phrasings most of a minute goes there. What it gives is the same
(a test compares the two); the files' form is checked by assistant/content before a training.
"""
import copy
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Text, Union

import yaml
from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
from rasa.shared.core.training_data.structures import StoryGraph, StoryStep
from rasa.shared.exceptions import YamlSyntaxException
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data import entities_parser
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData


class OnePassImporter(RasaFileImporter):
    """Named in config.yml; domain.yml and config.yml are read as ever."""

    def __init__(
        self,
        config_file: Optional[Text] = None,
        domain_path: Optional[Text] = None,
        training_data_paths: Optional[Union[List[Text], Text]] = None,
    ) -> None:
        """Read every YAML file at or below `training_data_paths`, but for test stories."""
        super().__init__(config_file, domain_path, [])
        paths = [training_data_paths] if isinstance(training_data_paths, str) else training_data_paths or []
        self._contents = {str(path): _read(path) for path in _files(paths) if not path.name.startswith("test_")}

    def get_nlu_data(self, language: Optional[Text] = "en") -> TrainingData:
        """Return the phrasings and the answers."""
        phrasings: List[Message] = []
        responses: Dict[Text, Any] = {}
        for content in self._contents.values():
            for item in content.get("nlu") or []:
                phrasings += _phrasings(item)
            responses.update(content.get("responses") or {})
        return TrainingData(phrasings, responses=responses)

    def get_stories(self, exclusion_percentage: Optional[int] = None) -> StoryGraph:
        """Return the stories and rules; `exclusion_percentage` serves learning curves, which there are none of."""
        domain = self.get_domain()
        steps: List[StoryStep] = []
        for path, content in self._contents.items():
            if "stories" in content or "rules" in content:
                steps += YAMLStoryReader(domain, path).read_from_parsed_yaml(content)
        return StoryGraph(steps)


class Phrasing(Message):
    """A message of the training data that is cheap to copy and to hash again."""

    def set(self, prop: Text, info: Any, add_to_output: bool = False) -> None:
        """See Message; a value that is there already changes nothing."""
        if add_to_output or self.data.get(prop) != info:
            super().set(prop, info, add_to_output)

    def __deepcopy__(self, memo: Dict[int, Any]) -> "Phrasing":
        """Return a copy that shares the values, none of which is ever changed in place."""
        twin = copy.copy(self)
        twin.data, twin.features, twin.output_properties = dict(self.data), list(self.features), set(self.output_properties)
        return twin


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML 1.2 as Rasa reads it: `no` is a word."""


_BOOL = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF"))


def _files(paths: List[Text]) -> List[Path]:
    found = [file for path in map(Path, paths) for file in ([path] if path.is_file() else sorted(path.rglob("*.y*ml")))]
    return sorted(set(found))


def _read(path: Path) -> Dict[Text, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506, a safe loader
    except yaml.YAMLError as error:
        raise YamlSyntaxException(str(path), error) from error
    return content if isinstance(content, dict) else {}


def _phrasings(item: Dict[Text, Any]) -> List[Message]:
    """Return the phrasings of one intent, each a line "- …"."""
    lines = [line[1:].strip() for line in item["examples"].splitlines() if line.strip()]
    return [
        Phrasing.build(
            entities_parser.replace_entities(line), item["intent"],
            entities_parser.find_entities_in_training_example(line), item.get("metadata"),
        )
        for line in lines
    ]

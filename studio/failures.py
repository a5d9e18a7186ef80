"""What a training that failed says to staff: which story contradicts which rule; anything else is for a developer."""
from __future__ import annotations

import re
from typing import List, Mapping

from studio.gates import Stop, named

# As rasa.core.policies.rule_policy words it (Rasa 3.6).
_CONTRADICTION = re.compile(
    r"the prediction of the action '(?P<action>[^']*)' in (?P<kind>story|rule) '(?P<name>.*?)' is contradicting with rule\(s\) "
    r"'(?P<rules>.*?)'(?: which predicted action '(?P<other>[^']*)')?\."
)
DOES = {"action_listen": "wait for the visitor"}


def stops_of(message: str, labels: Mapping[str, str]) -> List[Stop]:
    """Return what stands in the way, given the message of a process that failed."""
    found = {match["name"]: _contradiction(match, labels) for match in _CONTRADICTION.finditer(" ".join(message.split()))}
    return list(found.values()) or [
        Stop("failure", "Something failed on the way.", message,
             "The live assistant is as it was. Try once more; if it fails again, show this to a developer.")
    ]


def _contradiction(match: "re.Match[str]", labels: Mapping[str, str]) -> Stop:
    kind, name = match["kind"], match["name"]
    rules = " and ".join(f"“{labels.get(rule, rule)}”" for rule in match["rules"].split(", "))
    wants = f" The rule has it {_does(match['other'], labels)}." if match["other"] else ""
    return Stop(
        key=f"contradiction {name}",
        what=f"The {kind} “{name}” contradicts the rule {rules}: the {kind} has the assistant {_does(match['action'], labels)}.{wants}",
        expected="What a rule says always holds, so no story may go another way.",
        remedy=f"Open the {kind} under Stories and have it do what the rule does, or delete it. Visitors keep what they have.",
    )


def _does(action: str, labels: Mapping[str, str]) -> str:
    return DOES.get(action) or f"say {named(action, labels)}"

"""The end-to-end stories of tests/test_stories.yml, and the command that runs them."""
import asyncio
import re
import subprocess
import sys
import time

import pytest
import yaml

from assistant.settings import ROOT
from scripts import test_stories

STORIES = ROOT / "tests" / "test_stories.yml"


def test_every_story_comes_out_as_told(agent):
    started = time.monotonic()
    count, failures = asyncio.run(test_stories.failures(agent, STORIES))
    assert failures == [], "\n".join(map(str, failures))
    assert count >= 60
    assert time.monotonic() - started < 60


def test_stories_cover_every_intent_and_every_answer_that_follows_a_question():
    told = STORIES.read_text()
    domain = yaml.safe_load((ROOT / "domain.yml").read_text())
    for intent in domain["intents"]:
        used = re.search(rf"intent: {intent}$", told, re.MULTILINE) or re.search(rf"action: utter_{intent}$", told, re.MULTILINE)
        assert used, f"no story has {intent}"
        if intent.startswith("faq_") and not intent.startswith("faq_style_"):
            assert f"action: utter_{intent}_more\n" in told, f"no story asks for more on {intent}"


WRONG = """
version: "3.1"
stories:
- story: wrong answer
  steps:
  - user: |-
      how much does therapy cost?
    intent: faq_cost
  - action: utter_faq_nhs
  - user: |-
      tell me more
    intent: tell_me_more
  - action: utter_faq_cost_more
- story: wrong intent
  steps:
  - user: |-
      hello
    intent: goodbye
  - action: utter_goodbye
- story: wrong entity
  steps:
  - user: |-
      can I have my [sessions](term) online?
    intent: faq_online_sessions
  - action: utter_faq_online_sessions
- story: wrong entity
  steps:
  - user: |-
      thank you
    intent: thank
  - action: utter_thank
- story: told twice
  steps:
  - user: |-
      thank you
    intent: thank
  - action: utter_thank
"""


def test_every_failure_is_named_with_its_story_turn_and_what_came_instead(agent, tmp_path):
    path = tmp_path / "test_wrong.yml"
    path.write_text(WRONG)
    count, failures = asyncio.run(test_stories.failures(agent, path))
    lines = [str(failure) for failure in failures]
    assert count == 5
    assert "wrong answer, turn 1 ('how much does therapy cost?'): expected utter_faq_nhs, got utter_faq_cost" in lines
    assert "wrong intent, turn 1 ('hello'): expected goodbye, got greet" in lines
    assert any(line.startswith("wrong entity, turn 1") and "expected the entities term=sessions, got" in line for line in lines)
    assert any("a name of its own, got 2 of it" in line for line in lines)
    assert any(line.startswith("told twice, turn 1") and "messages of its own" in line for line in lines)


@pytest.mark.parametrize("arguments, says", [
    (["no/such/stories.yml"], "no/such/stories.yml: there is no such file"),
    (["--model", "no/such/model.tar.gz"], "no/such/model.tar.gz: there is no such file. Run `make train`."),
])
def test_missing_file_is_one_clear_line(arguments, says):
    command = [sys.executable, "-W", "ignore", "-m", "scripts.test_stories", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert says in done.stderr and len(done.stderr.strip().splitlines()) == 1

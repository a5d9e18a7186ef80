"""The importer reads what Rasa's own reads (addons/importer.py)."""
import pytest
from rasa.shared.exceptions import YamlSyntaxException
from rasa.shared.importers.importer import CombinedDataImporter, E2EImporter, ResponsesSyncImporter
from rasa.shared.importers.rasa import RasaFileImporter

from addons.importer import OnePassImporter
from assistant.settings import ROOT


def imported(importer, data=str(ROOT / "data")):
    made = importer(str(ROOT / "config.yml"), str(ROOT / "domain.yml"), [data])
    return E2EImporter(ResponsesSyncImporter(CombinedDataImporter([made])))


def test_phrasings_answers_rules_and_domain_are_those_of_rasas_importer():
    ours, theirs = imported(OnePassImporter), imported(RasaFileImporter)
    mine, its = ours.get_nlu_data(), theirs.get_nlu_data()
    assert len(mine.training_examples) > 1000
    assert [one.fingerprint() for one in mine.training_examples] == [one.fingerprint() for one in its.training_examples]
    assert mine.responses == its.responses
    assert ours.get_stories().fingerprint() == theirs.get_stories().fingerprint()
    assert ours.get_domain().as_dict() == theirs.get_domain().as_dict()


def test_words_that_older_yaml_takes_for_truth_values_stay_words(tmp_path):
    (tmp_path / "topic.yml").write_text("""version: "3.1"
nlu:
- intent: deny
  metadata: {label: No, reviewed_on: 2024-01-02, on: yes}
  examples: |
    - no
    - off
    - [Leeds](location) no
responses:
  utter_deny:
  - text: Yes
""")
    ours, theirs = [imported(importer, str(tmp_path)).get_nlu_data() for importer in (OnePassImporter, RasaFileImporter)]
    assert [one.as_dict() for one in ours.nlu_examples] == [one.as_dict() for one in theirs.nlu_examples]
    assert ours.responses == theirs.responses


def test_test_stories_are_no_training_data(tmp_path):
    (tmp_path / "test_topic.yml").write_text('version: "3.1"\nnlu:\n- intent: greet\n  examples: |\n    - hello\n')
    assert imported(OnePassImporter, str(tmp_path)).get_nlu_data().nlu_examples == []


def test_file_that_does_not_parse_is_named(tmp_path):
    (tmp_path / "broken.yml").write_text("nlu: [")
    with pytest.raises(YamlSyntaxException, match="broken.yml"):
        imported(OnePassImporter, str(tmp_path))

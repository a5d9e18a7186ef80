import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.directory.model import AUDIENCES, CONCERNS, FORMATS
from assistant.entities import ANY, Matcher
from assistant.errors import ContentError
from assistant.settings import Settings
from assistant.vocabulary import load_vocabulary
from scripts.places_extract import build


@pytest.fixture(scope="module")
def matcher():
    build(Settings.from_env())
    return Matcher.load(Settings.from_env())


def value(matcher, text, entity):
    return next((found.value for found in matcher.find(text) if found.entity == entity), None)


def test_the_vocabulary_has_every_value_of_the_directory():
    vocabulary = load_vocabulary()
    assert vocabulary.values("session_format") == list(FORMATS)
    assert sorted(vocabulary.values("concern")) == sorted(CONCERNS)
    assert set(vocabulary.values("audience")) == set(AUDIENCES) - {"adults"}


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("zoom please", "online"),
        ("by video", "online"),
        ("f2f", "in_person"),
        ("face to face", "in_person"),
        ("Face-To-Face", "in_person"),
        ("in person", "in_person"),
        ("face2face", "in_person"),
        ("remotely", "online"),
        ("over skype", "online"),
        ("by phone", "online"),
        ("not online", "in_person"),
        ("no zoom please", "in_person"),
        ("I don't want to do it on video", "in_person"),
        ("I dont want zoom", "in_person"),
        ("rather not be on a screen", "in_person"),
        ("not in person", "online"),
        ("anything but zoom", "in_person"),
        ("face to face, not online", "in_person"),
        ("in person rather than video", "in_person"),
        ("I prefer face to face over zoom", "in_person"),
        ("ideally in person, online if need be", "in_person"),
        ("online or in person", ANY),
        ("zoom or face to face", ANY),
        ("either", ANY),
        ("onlin", "online"),
        ("hello", None),
    ],
)
def test_session_formats(text, wanted, matcher):
    assert value(matcher, text, "session_format") == wanted


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("panic attacks", "anxiety"),
        ("low mood", "depression"),
        ("my ex", "relationships"),
        ("my mum", "family"),
        ("flashbacks", "ptsd"),
        ("self-worth", "low_self_esteem"),
        ("low self esteem", "low_self_esteem"),
        ("childhood trauma", "childhood_trauma"),
        ("trauma", "trauma"),
        ("I can't trust anyone", "trust_issues"),
        ("cant trust people", "trust_issues"),
        ("lost my mum", "grief"),
        ("my dad died", "grief"),
        ("since my nan passed", "grief"),
        ("sex life", "intimacy"),
        ("bonding with my baby", "parenting"),
        ("anxeity", "anxiety"),
        ("depresion", "depression"),
        ("bereavment", "grief"),
        ("anxiety and depression", "anxiety"),
        ("depressed about my mum", "depression"),
        ("someone for my mum", None),
        ("my mum is ill and I am so anxious", "anxiety"),
        ("low cost", None),
        ("anxious attachment", None),
        ("a therapist I can trust", None),
        ("not anxiety, grief", "grief"),
        ("what happened to me as a child", "childhood_trauma"),
        ("abused as a kid", "childhood_trauma"),
        ("don't worry", None),
    ],
)
def test_concerns_in_everyday_words(text, wanted, matcher):
    assert value(matcher, text, "concern") == wanted


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("for my daughter", "children"),
        ("child therapist", "children"),
        ("couples counselling", "couples"),
        ("we want to go together", "couples"),
        ("me and my husband", "couples"),
        ("family therapist", "families"),
        ("for me", None),
    ],
)
def test_who_it_is_for(text, wanted, matcher):
    assert value(matcher, text, "audience") == wanted


def test_wishes_without_a_filter_are_all_named(matcher):
    found = [entity.value for entity in matcher.find("a woman, evenings, under £50, who speaks Polish") if entity.entity == "wish"]
    assert found == ["gender", "time", "price", "language"]


@pytest.mark.parametrize(
    "text, step",
    [
        ("skip", "skip"),
        ("Don't mind", "skip"),
        ("anywhere", "skip"),
        ("no preference", "skip"),
        ("Skip please.", "skip"),
        ("stop", "stop"),
        ("never mind", "stop"),
        ("Stop the search!", "stop"),
        ("show more", "more"),
        ("more therapists please", "more"),
        ("look further afield", "wider"),
        ("change place", "change_location"),
        ("near me", "near_me"),
        ("someone close to home", "near_me"),
        ("I don't mind telling you I am scared", None),
        ("I can't stop crying", None),
        ("nothing helps me", None),
    ],
)
def test_steps_of_the_search(text, step, matcher):
    assert value(matcher, text, "search_step") == step


def test_everything_in_one_sentence(matcher):
    found = {entity.entity: entity.value for entity in matcher.find("online, for anxiety, I'm in Leeds")}
    assert found == {"session_format": "online", "concern": "anxiety", "location": "Leeds"}


def test_styles_and_glossary_terms(matcher):
    assert value(matcher, "I think I'm fearful avoidant", "style") == "disorganised"
    assert value(matcher, "what is attunement", "term") == "attunement"
    assert matcher.vocabulary.meanings["attunement"].startswith("Attunement means")


def test_a_full_postcode_leaves_only_its_outward_part(matcher):
    assert value(matcher, "I'm at LS6 2AB", "location") == "LS6"


@settings(deadline=None)
@given(st.text(max_size=150))
def test_any_text_is_read_and_entities_lie_within_it(text):
    matcher = Matcher.load(Settings.from_env())
    found = matcher.find(text)
    assert all(0 <= entity.start < entity.end <= len(text) for entity in found)
    for single in ("location", "session_format", "concern", "audience", "search_step"):
        assert sum(entity.entity == single for entity in found) <= 1


def test_the_glossary_may_be_missing_and_a_broken_file_is_named(tmp_path):
    from assistant.vocabulary import FOLDER

    for path in FOLDER.glob("*.yml"):
        if path.name != "glossary.yml":
            (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    assert load_vocabulary(tmp_path).meanings == {}
    load_vocabulary.cache_clear()
    (tmp_path / "formats.yml").write_text("formats: [", encoding="utf-8")
    with pytest.raises(ContentError, match="data/vocabulary/formats.yml"):
        load_vocabulary(tmp_path)
    load_vocabulary.cache_clear()

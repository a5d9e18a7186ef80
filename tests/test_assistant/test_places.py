import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import ContentError
from assistant.places import Gazetteer, find_places, says_only_where, shorten_postcodes
from assistant.places.postcodes import AREAS
from assistant.settings import ROOT, Settings
from scripts.places_extract import build


@pytest.fixture(scope="module")
def gazetteer():
    build(Settings.from_env())
    return Gazetteer.load(Settings.from_env())


def named(text, gazetteer):
    """What the message is about: the first place's label, or the name of what is no single place, or None."""
    found = find_places(text, gazetteer)[:1]
    return [(m.lookup.place.label if m.lookup.place else m.lookup.name) for m in found][0] if found else None


@pytest.mark.parametrize("name", ["Totnes", "Hebden Bridge", "Thirsk", "Hay-on-Wye", "Portree", "Machynlleth", "Enniskillen", "St Helier"])
def test_small_places_are_known(name, gazetteer):
    assert gazetteer.look_up(name).place.name == name


def test_all_postcode_areas_have_a_place_in_the_british_isles(gazetteer):
    assert len(gazetteer.areas) == 124
    for area in gazetteer.areas:
        place = gazetteer.postcode(f"{area}1")
        assert 49 < place.latitude < 61 and -8.8 < place.longitude < 2.1


def test_all_london_boroughs_are_known(gazetteer):
    boroughs = {places[0].name for places in gazetteer._names.values() if places[0].kind == "borough"}
    assert len(boroughs) == 33
    assert {"Hackney", "Tower Hamlets", "Kingston upon Thames", "City of London"} <= boroughs


@pytest.mark.parametrize("text", ["LS6 2AB", "ls6 2ab", "LS62AB", "ls6  2ab", "Ls6", "LS 6 2AB", "ls6-2ab", "LS6 2 AB", "ls6 2a b",
                                  "L S 6  2 A B", "LS6\n2AB", "LS6.2AB", "LS6\u200b2AB", "LS6 – 2AB"])
def test_postcodes_in_any_form_become_the_outward_part(text, gazetteer):
    place = gazetteer.look_up(text).place
    assert (place.name, place.label, place.exact) == ("LS6", "LS6", False)


def test_a_district_lies_by_its_own_town_not_by_the_areas(gazetteer):
    assert gazetteer.postcode("LS29").latitude == gazetteer.look_up("Ilkley").place.latitude
    assert gazetteer.postcode("SW1A").latitude == gazetteer.postcode("SW1").latitude


@pytest.mark.parametrize("text, shortened", [
    ("I live at LS6 2AB, near the park", "I live at LS6, near the park"),
    ("sw1a1aa and EC1A 1BB", "SW1A and EC1A"),
    ("no postcode here, B12 vitamins", "no postcode here, B12 vitamins"),
    ("L S 6  2 A B please", "LS6 please"), ("I'm at l s 1 1 1 a b today", "I'm at LS11 today"), ("ls6 2 a b", "LS6"),
    ("sessions at 5 or 6 pm on 1 2 or 3 days", "sessions at 5 or 6 pm on 1 2 or 3 days"),
    ("he was 4 5 years ago and i was 2", "he was 4 5 years ago and i was 2"),
])
def test_full_postcodes_are_cut_out_of_a_text(text, shortened):
    assert shorten_postcodes(text) == shortened


def test_all_postcode_areas_are_known_and_located(gazetteer):
    assert gazetteer.areas == AREAS and len(AREAS) == 124


@settings(deadline=None)
@given(st.text())
def test_shortening_leaves_nothing_to_shorten(text):
    once = shorten_postcodes(text)
    assert len(once) <= len(text) and shorten_postcodes(shorten_postcodes(once)) == shorten_postcodes(once)


@pytest.mark.parametrize("written, meant", [
    ("birmingam", "Birmingham"), ("manchestor", "Manchester"), ("edinbrugh", "Edinburgh"), ("notingham", "Nottingham"),
    ("peterbrough", "Peterborough"), ("carlise", "Carlisle"), ("Leedz", "Leeds"), ("glasgo", "Glasgow"), ("brigton", "Brighton"),
    ("hackny", "Hackney"), ("hebdon bridge", "Hebden Bridge"),
])
def test_misspelt_places_are_understood(written, meant, gazetteer):
    assert gazetteer.look_up(written).place.name == meant
    assert named(f"someone in {written} please", gazetteer) == meant


@pytest.mark.parametrize("text", ["qwertyuiop", "asdf", "my house", "xx", "", "12345", "the moon"])
def test_nonsense_is_no_place(text, gazetteer):
    assert gazetteer.look_up(text).outcome == "unknown"


def test_a_name_that_several_towns_bear_is_asked_about(gazetteer):
    lookup = gazetteer.look_up("Newport")
    assert lookup.outcome == "ambiguous"
    assert [place.label for place in lookup.places] == ["Newport, Wales", "Newport, Isle of Wight", "Newport, near Telford"]
    assert all(gazetteer.look_up(place.label).place == place for place in lookup.places)


@pytest.mark.parametrize("text, label", [
    ("therapist in Newport, Isle of Wight", "Newport, Isle of Wight"),
    ("Bangor in Northern Ireland", "Bangor, Northern Ireland"),
    ("Bangor, Wales", "Bangor, Wales"),
    ("I'm in Richmond, North Yorkshire", "Richmond, North Yorkshire"),
    ("Newport, Shropshire", "Newport, near Telford"),
    ("Gillingham Kent", "Gillingham, Kent"),
])
def test_what_follows_a_shared_name_settles_it(text, label, gazetteer):
    assert named(text, gazetteer) == label


def test_a_village_is_not_asked_about_beside_a_city_of_its_name(gazetteer):
    assert gazetteer.look_up("Preston").outcome == "found"


@pytest.mark.parametrize("name, label", [
    ("Hull", "Hull"), ("Kingston upon Hull", "Hull"), ("Newcastle", "Newcastle upon Tyne"), ("stoke", "Stoke-on-Trent"),
    ("kings lynn", "King's Lynn"), ("saint albans", "St Albans"), ("St. Albans", "St Albans"), ("south east london", "London"),
    ("tunbridge wells", "Tunbridge Wells"), ("londonderry", "Derry"),
])
def test_places_go_by_the_names_that_people_use(name, label, gazetteer):
    assert gazetteer.look_up(name).place.label == label


@pytest.mark.parametrize("name, outcome", [
    ("Paris", "abroad"), ("New York", "abroad"), ("Spain", "abroad"), ("Dublin", "abroad"), ("the usa", "abroad"),
    ("Scotland", "wide"), ("the Midlands", "wide"), ("Kent", "found"),
])
def test_what_lies_beyond_or_is_too_wide_is_recognised(name, outcome, gazetteer):
    assert gazetteer.look_up(name).outcome == outcome


@pytest.mark.parametrize("text", [
    "I've been reading about attachment", "interested in reading more", "I had a bath and a think", "I hope it helps",
    "is there a sale on", "we play rugby together", "I feel well, a deal is a deal", "the church is on the street",
    "my friend Nelson says so", "Stanley is my brother", "I was in hope of a change", "it began in March", "starting in march",
    "I want to be over this", "a nice split second", "she went in to battle", "I'm in love", "on the other hand",
    "b4 I start", "gr8 thanks m8", "leave me alone in my box", "what happens in a session", "in the first session",
])
def test_ordinary_words_and_names_are_no_places(text, gazetteer):
    assert named(text, gazetteer) is None


@pytest.mark.parametrize("text, place", [
    ("anyone in reading?", "Reading"), ("I live in Bath", "Bath"), ("therapist bath", "Bath"), ("near Sale", "Sale"),
    ("Bury", "Bury"), ("rugby", "Rugby"), ("in Wells, online", "Wells"), ("living near March", "March"), ("deal, f2f", "Deal"),
    ("Nelson area", "Nelson"), ("ware based therapist", "Ware"), ("someone in Hope, Derbyshire", "Hope"), ("anxiety, Rye, online", "Rye"),
    ("I'm in Battle", "Battle"), ("Lincoln counsellor", "Lincoln"),
])
def test_the_same_words_are_places_where_a_place_stands(text, place, gazetteer):
    assert named(text, gazetteer) == place


@pytest.mark.parametrize("text, place", [
    ("moved from York to Hull", "Hull"), ("I used to live in Leeds but now I'm in York", "York"), ("not in Leeds, in York", "York"),
    ("I'm in Leeds, LS6 2AB", "LS6"), ("Worcester or Malvern", "Worcester"), ("somewhere in Kent, ideally Maidstone", "Maidstone"),
    ("anywhere but Leeds", None), ("actually Leeds", "Leeds"), ("i live in paris", "Paris"),
])
def test_the_place_that_counts_is_chosen(text, place, gazetteer):
    assert named(text, gazetteer) == place


def test_mentions_say_where_they_stand(gazetteer):
    text = "hello, near Hebden Bridge please"
    mention = find_places(text, gazetteer)[0]
    assert text[mention.start:mention.end] == "Hebden Bridge"


def test_an_area_is_coarse_enough_to_count(gazetteer):
    assert gazetteer.area(gazetteer.look_up("LS6 2AB").place) == "LS"
    assert gazetteer.area(gazetteer.look_up("Headingley").place) == "LS"


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_searched_for_places(text):
    gazetteer = Gazetteer.load(Settings.from_env())
    for mention in find_places(text, gazetteer):
        assert 0 <= mention.start < mention.end <= len(text)


def test_a_missing_extract_is_a_clear_error(tmp_path):
    with pytest.raises(ContentError, match="places-1.json: the extract of places is not built. Run `make setup`."):
        Gazetteer.load(Settings.from_env({"ASSISTANT_CACHE": str(tmp_path)}))


def test_the_extract_is_built_once_and_small(tmp_path):
    elsewhere = Settings.from_env({"ASSISTANT_CACHE": str(tmp_path)})
    path = build(elsewhere)
    assert 100_000 < path.stat().st_size < 1_000_000
    stamp = path.stat().st_mtime_ns
    assert build(elsewhere) == path and path.stat().st_mtime_ns == stamp


@pytest.mark.parametrize("text", [
    "Woking", "ls6", "LS6 2AB", "Wetherby please", "I'm in Evesham", "find me a therapist in Hebden Bridge", "Newport, Isle of Wight",
    "actually in York", "make it face to face", "no, face to face",
    "find me someone in Dublin, face to face", "find me someone else", "Wales", "in person in Measham for anxiety", "near Topsham or Exmouth",
])
def test_what_says_only_where_is_known(text, gazetteer):
    assert says_only_where(text, gazetteer)


@pytest.mark.parametrize("text", [
    "I want to die in York", "York. end it", "I can't go on, Leeds", "hurtme", "help", "Leeds, I am not safe", "kill", "I cut myself in Bath",
    "I'd rather not live in Leeds", "no more, York", "jumping off the bridge in Hebden Bridge", "i have a deepcut on my arm", "🔪 Leeds",
    "no one in Leeds",
])
def test_what_says_anything_else_is_not_taken_for_a_place(text, gazetteer):
    assert not says_only_where(text, gazetteer)


def test_no_example_of_risk_says_only_where(gazetteer):
    examples = yaml.safe_load((ROOT / "data" / "safety" / "examples.yml").read_text(encoding="utf-8"))
    written = [line for level in ("crisis", "concern") for text in _texts(examples[level]) for line in text.splitlines()]
    assert len(written) > 1000 and [line for line in written if says_only_where(line, gazetteer)] == []


def _texts(value):
    return [value] if isinstance(value, str) else [text for inner in value.values() for text in _texts(inner)]

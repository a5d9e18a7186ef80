import pytest

from assistant.directory import Found, Query
from assistant.directory.model import RADII, Therapist
from assistant.entities import Matcher
from assistant.handoff import (
    Search,
    Turn,
    card,
    continues_search,
    describe,
    during_search,
    is_answer,
    names_a_search,
    next_question,
    query_of,
    slots_of,
    take,
    unapplied,
)
from assistant.handoff.form import ANY
from assistant.places import Gazetteer
from assistant.settings import Settings
from assistant.vocabulary import load_vocabulary
from scripts.places_extract import build

NOTHING = Search()
ACTIONS = {"utter_faq_cost", "utter_goodbye", "utter_out_of_scope", "utter_not_understood", "utter_share_feelings"}


@pytest.fixture(scope="module")
def gazetteer():
    settings = Settings.from_env()
    build(settings)
    return Gazetteer.load(settings)


@pytest.fixture(scope="module")
def turn(gazetteer):
    matcher = Matcher.load(Settings.from_env())
    return lambda text, intent="find_therapist", requested=None: Turn(
        intent, text, [entity._asdict() for entity in matcher.find(text)], requested
    )


@pytest.fixture(scope="module")
def play(turn, gazetteer):
    """Play messages through the form and return the search and the question left open."""

    def played(*texts, search=NOTHING, intent="nlu_fallback"):
        requested = None
        for number, text in enumerate(texts):
            search = take(search, turn(text, intent if number else "find_therapist", requested), gazetteer)
            requested = next_question(search)
        return search, requested

    return played


def facts(search):
    return search.location, search.session_format, search.concern


class TestForm:
    def test_everything_in_one_sentence_asks_nothing(self, play):
        search, question = play("face to face, for anxiety, I'm in Leeds")
        assert facts(search) == ("Leeds", "in_person", "anxiety") and question is None

    def test_one_thing_at_a_time_asks_three_questions(self, play):
        assert play("find a therapist")[1] == "session_format"
        assert play("find a therapist", "in person")[1] == "location"
        assert play("find a therapist", "in person", "Leeds")[1] == "concern"
        search, question = play("find a therapist", "in person", "Leeds", "panic")
        assert facts(search) == ("Leeds", "in_person", "anxiety") and question is None

    def test_online_asks_for_no_place(self, play):
        assert play("find a therapist", "zoom")[1] == "concern"

    def test_answers_may_come_in_any_order(self, play):
        search, question = play("find a therapist", "Leeds", "grief", "f2f")
        assert facts(search) == ("Leeds", "in_person", "grief") and question is None

    @pytest.mark.parametrize("skip", ["skip", "don't mind", "either", "not sure", "no preference", "I don't mind"])
    def test_each_question_can_be_skipped(self, skip, play):
        search, question = play("find a therapist", skip, "anywhere", skip)
        assert facts(search) == (ANY, ANY, ANY) and question is None

    @pytest.mark.parametrize("answer", ["i live in leeds", "Leeds please", "um, Leeds", "it's leeds", "leedz", "near leeds i think"])
    def test_places_are_found_in_short_answers(self, answer, play):
        assert play("find a therapist", "in person", answer)[0].location == "Leeds"

    def test_a_change_replaces_what_was_said(self, play):
        done = play("in person in Leeds for anxiety")[0]
        assert play("actually York", search=done)[0].location == "York"
        assert play("online instead", search=done)[0].session_format == "online"
        assert play("for grief", search=done)[0].concern == "grief"
        assert facts(play("actually York", search=done)[0]) == ("York", "in_person", "anxiety")

    @pytest.mark.parametrize(
        "text, slot", [("change place", "location"), ("change format", "session_format"), ("change concern", "concern")]
    )
    def test_a_change_without_a_new_value_is_asked_for(self, text, slot, play):
        assert play(text, search=play("in person in Leeds for anxiety")[0])[1] == slot

    def test_stop_ends_it(self, play):
        search, question = play("find a therapist", "stop")
        assert search.outcome == "stopped" and question is None

    def test_a_stopped_search_can_begin_again_with_what_is_known(self, play):
        search, question = play("find a therapist", search=play("therapist in Leeds", "stop")[0])
        assert search.outcome == "" and search.location == "Leeds" and question == "session_format"

    def test_a_question_is_repeated_once_then_the_link_has_to_do(self, play):
        search, question = play("find a therapist in person", "qwertyuiop")
        assert (search.problem, question) == ("unknown", "location")
        search, question = play("find a therapist in person", "qwertyuiop", "asdfghjkl")
        assert (search.outcome, question) == ("gave_up", None)

    def test_what_is_written_is_not_kept(self, play):
        search = play("find a therapist in person", "my secret hideout", search=Search())[0]
        assert "secret" not in str(slots_of(search)) and "hideout" not in str(slots_of(search))

    def test_an_ambiguous_place_is_asked_about_at_once(self, play):
        search, question = play("therapist in Newport")
        assert (search.problem, question) == ("ambiguous", "location")
        assert "Newport, Isle of Wight" in search.choices
        assert play("therapist in Newport", "Newport, Isle of Wight")[0].location == "Newport, Isle of Wight"

    def test_an_ambiguous_place_is_settled_by_its_region_alone(self, play):
        assert play("therapist in Newport", "Isle of Wight")[0].location in ("Isle of Wight", "Newport, Isle of Wight")

    @pytest.mark.parametrize(
        "text, problem",
        [
            ("therapist near me", "near_me"),
            ("therapist in Paris", "abroad"),
            ("therapist in Scotland", "wide"),
        ],
    )
    def test_places_that_will_not_do(self, text, problem, play):
        search, question = play(text)
        assert (search.problem, search.location, question) == (problem, None, "location")
        assert play(text, "Look online instead")[0].session_format == "online"

    def test_a_postcode_is_kept_in_its_outward_part_alone(self, play):
        search = play("find a therapist", "in person", "LS6 2AB")[0]
        assert search.location == "LS6" and "2AB" not in str(slots_of(search))

    def test_a_concern_without_a_filter_is_left_open_and_named(self, play):
        search, question = play("find an online therapist", "gambling")
        assert (search.concern, question) == (ANY, None) and search.wishes == ("issue",)

    def test_wishes_are_gathered(self, play):
        search = play("a woman in Leeds under £50", "in person, evenings")[0]
        assert search.wishes == ("gender", "price", "time")

    def test_who_it_is_for(self, play):
        assert play("someone for my daughter in Leeds")[0].audience == "children"

    def test_more_turns_the_page_and_a_change_goes_back_to_the_first(self, play):
        done = play("in person in Leeds for anxiety")[0]
        more = play("show more", search=done)[0]
        assert more.offset == 3 and play("show more", search=more)[0].offset == 6
        assert play("actually York", search=more)[0].offset == 0

    def test_more_before_a_search_is_no_page(self, play):
        assert play("show more")[0].offset == 0

    def test_wider_takes_the_next_radius(self, play):
        done = play("in person in Leeds for anxiety")[0]
        wider = play("look further afield", search=done)[0]
        assert wider.radius == RADII[1] and play("wider", search=play("wider", search=wider)[0])[0].radius == RADII[2]

    def test_slots_and_back(self, play):
        search = play("a woman in Newport", "qwertyuiop")[0]
        assert Search.from_slots(slots_of(search)) == search

    def test_the_query_leaves_open_what_was_skipped(self, play, gazetteer):
        assert query_of(play("find a therapist", "skip", "skip", "skip")[0], gazetteer) == Query()
        query = query_of(play("f2f in Leeds for panic")[0], gazetteer)
        assert (query.place.name, query.session_format, query.concern) == ("Leeds", "in_person", "anxiety")


class TestTurn:
    @pytest.mark.parametrize(
        "text, intent, requested",
        [
            ("Leeds", "faq_about_time_for_therapy", "location"),
            ("anxiety", "faq_conditions_helped", "concern"),
            ("online", "faq_online_sessions", "session_format"),
            ("couples therapy please", "faq_children_and_families", "concern"),
            ("I feel anxious all the time", "share_feelings", "concern"),
            ("qwertyuiop", "nlu_fallback", "location"),
            ("skip", "deny", "concern"),
            ("stop", "goodbye", "location"),
            ("Upper Slaughter", "out_of_scope", "location"),
        ],
    )
    def test_answers(self, text, intent, requested, turn):
        assert is_answer(turn(text, intent, requested))
        assert during_search(turn(text, intent, requested), ACTIONS) is None

    @pytest.mark.parametrize(
        "text, intent, requested, action, goes_on",
        [
            ("how much does it cost in Leeds", "faq_cost", "location", "utter_faq_cost", True),
            ("what is the weather like?", "out_of_scope", "location", "utter_out_of_scope", True),
            ("I moved to Leeds and feel awful", "share_feelings", "location", "utter_share_feelings", True),
            ("what does that thing over there mean?", "nlu_fallback", "session_format", "utter_not_understood", True),
            ("bye", "goodbye", "location", "utter_goodbye", False),
        ],
    )
    def test_questions_in_the_middle(self, text, intent, requested, action, goes_on, turn):
        assert during_search(turn(text, intent, requested), ACTIONS) == (action, goes_on)

    def test_a_button_of_another_topic_is_a_question(self):
        assert during_search(Turn("faq_cost", "", (), "location"), ACTIONS) == ("utter_faq_cost", True)

    @pytest.mark.parametrize(
        "text, search",
        [
            ("York, zoom, low mood", True),
            ("BS3 f2f my ex", True),
            ("online or in person, Leeds", True),
            ("a woman in Leeds, evenings, under £50", True),
            ("Leeds", False),
            ("find me a therapist\nin Leeds\nonline\nfor anxiety", True),
            ("need help getting over my ex, zoom", True),
            ("is online ok for couples", False),
            ("can children do online therapy for anxiety", False),
            ("a woman, evenings", False),
            ("is video cheaper than being there in person", False),
            ("your telephone please", False),
            ("couples", False),
            ("is it online in Leeds?", False),
            ("I moved to Leeds and feel low", False),
        ],
    )
    def test_two_names_and_nothing_else_are_a_search(self, text, search, turn):
        assert names_a_search(turn(text, "nlu_fallback")) is search

    @pytest.mark.parametrize(
        "text, intent, about",
        [
            ("more please", "tell_me_more", True),
            ("what about York", "faq_about_time_for_therapy", True),
            ("online?", "faq_online_sessions", True),
            ("how much does that cost", "faq_cost", False),
            ("find me another", "find_therapist", False),
        ],
    )
    def test_what_follows_the_results_is_about_them(self, text, intent, about, turn):
        assert continues_search(turn(text, intent), "action_search_therapists") is about
        assert not continues_search(turn(text, intent), "utter_faq_cost")


class TestDescribe:
    @pytest.mark.parametrize(
        "text, words",
        [
            ("in person in Leeds for anxiety", "therapists near Leeds who see people in person and work with anxiety"),
            ("online for grief", "online therapists who work with grief"),
            ("couples counselling in Kent", "therapists for couples in Kent who work with relationships"),
            ("f2f, York", "therapists near York who see people in person"),
            ("find a therapist", "therapists"),
        ],
    )
    def test_a_query_in_words(self, text, words, play, gazetteer):
        assert describe(query_of(play(text)[0], gazetteer), load_vocabulary()) == words

    def test_only_what_a_link_carries_is_claimed(self, play, gazetteer):
        query = query_of(play("in person in Leeds for anxiety")[0], gazetteer)
        assert describe(query, load_vocabulary(), only={"location"}) == "therapists near Leeds"

    def test_wishes_in_words(self):
        assert unapplied(("time", "price", "gender"), load_vocabulary()) == "days and times, price or a therapist's gender"

    @pytest.mark.parametrize(
        "miles, about, words",
        [
            (None, False, ""),
            (0.3, False, "less than a mile"),
            (0.3, True, "less than a mile"),
            (1.2, False, "1 mile"),
            (7.6, True, "about 8 miles"),
        ],
    )
    def test_distances(self, miles, about, words):
        therapist = Therapist(
            "A", "T", "BACP", "1", "Leeds", 53.0, -1.0, False, ("online",), ("adults",), ("grief",), (), 40, 40, False, "https://e.org"
        )
        shown = card(Found(therapist, miles, about))
        assert shown["distance"] == words and shown["fee"] == "£40" and shown["register"] == "BACP 1"
        assert shown["accepting"] == "Not taking new clients at the moment"

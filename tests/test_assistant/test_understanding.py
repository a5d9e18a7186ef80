"""Understanding: features, closed-form left-out predictions, thresholds, what is saved, and readings of whole messages."""
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from assistant.content import load_topics
from assistant.encoder import Encoder
from assistant.encoder_build import build
from assistant.errors import ModelError
from assistant.settings import ROOT, Settings
from assistant.understanding import ridge
from assistant.understanding.classifier import OUT_OF_SCOPE
from assistant.understanding.features import NGrams, gram, tidy
from assistant.understanding.fitting import fit
from assistant.understanding.nearness import Nearness
from assistant.understanding.reader import FALLBACK, SEVERAL, Reader, Topic
from assistant.understanding.spelling import Spelling
from assistant.understanding.splitter import asks, clauses, sentences

FEW = ("faq_cost", "faq_nhs", "faq_session_length", "faq_number_of_sessions", "find_therapist", "share_feelings", OUT_OF_SCOPE)
SHARE = 0.85  # of the development set, below what is measured: a floor that a worse splitter breaks
DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def encoder():
    settings = Settings.from_env()
    build(settings)
    return Encoder.load(settings)


@pytest.fixture(scope="module")
def few():
    """Return texts, intents and topics of a few real topics, every fourth phrasing apart for testing."""
    found = [topic for topic in load_topics(ROOT) if topic.intent in FEW]
    rows = [(text, topic.intent) for topic in found for text in topic.examples]
    return rows, {topic.intent: Topic(topic.label, topic.neighbours) for topic in found}


@pytest.fixture(scope="module")
def small(few, encoder):
    rows, topics = few
    train = [row for index, row in enumerate(rows) if index % 4]
    return fit([text for text, _ in train], [intent for _, intent in train], topics, encoder)


@pytest.fixture(scope="module")
def reader(model, encoder, tmp_path_factory):
    """Return the reader of the project's trained model."""
    folder = tmp_path_factory.mktemp("model")
    with tarfile.open(model) as archive:
        for member in archive.getmembers():
            if Path(member.name).name in ("classifier.npz", "topics.json"):
                member.name = Path(member.name).name
                archive.extract(member, folder)
    return Reader.load(folder, encoder)


# --- features


def test_ngrams_equal_scikit_learns_tfidf():
    texts = [tidy(text) for text in ("How much is it", "what's a fee, please", "much more", "a a a much a")]
    halves = [
        TfidfVectorizer(analyzer="word", ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True),
    ]
    expected = sum((rows @ rows.T).toarray() / 2 for rows in (half.fit_transform(texts) for half in halves))
    assert np.allclose(gram(NGrams.fit(texts).rows(texts)), expected, atol=1e-5)


@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
@examples(max_examples=40, deadline=None)
def test_ngrams_survive_any_text_and_being_saved(texts):
    texts = [tidy(text) for text in texts]
    ngrams = NGrams.fit(texts)
    rows = ngrams.rows(texts)
    assert np.array_equal(NGrams.from_arrays(ngrams.arrays()).rows(texts).toarray(), rows.toarray())
    assert rows.dtype == np.float32 and np.isfinite(rows.toarray()).all()


# --- spelling

SPELLING = Spelling.fit(["how does therapy help", "is therapy dear", "therapy for me, therapy"] * 2, {"massage", "theory", "therapy"})


@pytest.mark.parametrize("text, mended", [
    ("how does theraphy help", "how does therapy help"),  # a letter too many
    ("threapy", "therapy"), ("therpy", "therapy"), ("therupy", "therapy"),  # swapped, dropped, changed
    ("massage theory", "massage theory"),  # known, though never in the examples
    ("dea thurupy", "dea thurupy"),  # too short; two letters away
    ("", ""), ("'therapy'!", "'therapy'!"),
])
def test_slips_of_the_keyboard_are_mended(text, mended):
    assert SPELLING.mend(text) == mended
    assert Spelling.from_arrays(SPELLING.arrays()).mend(text) == mended


def test_misspelt_messages_are_understood(reader):
    texts = {"how much does threapy cost": "faq_cost", "is it confidental": "faq_confidentiality", "therapst in leeds": "find_therapist"}
    assert {text: reader.read(text).intent for text in texts} == texts


# --- ridge regression and nearness: the closed forms against doing it the long way


def _random(seed=0, sizes=(4, 6, 9)):
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(sum(sizes), 8)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points, np.concatenate([[0], np.cumsum(sizes)])


def _scores(kernel, rows, starts, strength):
    """Return the scores of all texts by a model fitted on `rows` alone, with the weights of the whole."""
    counts = np.diff(starts)
    labels = np.repeat(np.arange(len(counts)), counts)
    targets = np.where(labels[:, None] == np.arange(len(counts)), 1.0, -1.0)
    weights = np.sqrt(counts.mean() / counts)[labels]
    duals = np.linalg.solve(kernel[np.ix_(rows, rows)] + np.diag(strength / weights[rows]), targets[rows])
    return kernel[:, rows] @ duals


def test_left_out_predictions_equal_fitting_again():
    points, starts = _random()
    kernel = np.exp(points @ points.T - 1)
    fitted = ridge.fit(kernel.copy(), starts, 0.1)
    everyone = np.arange(len(points))
    assert np.allclose(kernel @ fitted.duals, _scores(kernel, everyone, starts, 0.1), atol=1e-3)
    for row in everyone:
        assert np.allclose(fitted.without_text[row], _scores(kernel, np.delete(everyone, row), starts, 0.1)[row], atol=1e-3)
    for intent, (start, end) in enumerate(zip(starts[:-1], starts[1:])):
        again = _scores(kernel, np.delete(everyone, np.arange(start, end)), starts, 0.1)[start:end]
        others = np.arange(len(starts) - 1) != intent
        assert np.allclose(fitted.without_intent[start:end][:, others], again[:, others], atol=1e-3)
        assert (fitted.without_intent[start:end].argmin(axis=1) == intent).all()


def test_nearness_leaves_the_text_itself_out():
    points, starts = _random()
    near = Nearness(points, starts)
    for row in range(len(points)):
        for intent in range(3):
            others = [index for index in range(starts[intent], starts[intent + 1]) if index != row]
            mean = points[others].mean(axis=0)
            expected = [(points[others] @ points[row]).max(), points[row] @ mean / np.linalg.norm(mean)]
            assert np.allclose(near.of_examples(np.full(len(points), intent))[row], expected, atol=1e-5)


# --- the classifier and its thresholds


def test_held_back_phrasings_are_understood(few, small):
    rows = [row for index, row in enumerate(few[0]) if index % 4 == 0]
    readings = [small.read(text) for text, _ in rows]
    real = [(reading, intent) for reading, (_, intent) in zip(readings, rows) if intent != OUT_OF_SCOPE]
    strange = [reading for reading, (_, intent) in zip(readings, rows) if intent == OUT_OF_SCOPE]
    assert np.mean([reading.ranking[0][0] == intent for reading, intent in real]) > 0.9
    assert np.mean([reading.intent in (FALLBACK, OUT_OF_SCOPE) for reading in strange]) > 0.85
    assert np.mean([reading.intent in (FALLBACK, OUT_OF_SCOPE) for reading, _ in real]) < 0.1


def test_a_threshold_needs_no_out_of_scope_examples(few, encoder):
    rows = [row for row in few[0] if row[1] != OUT_OF_SCOPE]
    reader = fit([text for text, _ in rows], [intent for _, intent in rows], few[1], encoder)
    strange = [text for text, intent in few[0] if intent == OUT_OF_SCOPE][::5]
    assert np.mean([reader.read(text).intent == FALLBACK for text in strange]) > 0.6
    assert reader.read("how much does a session cost").intent == "faq_cost"


def test_the_order_of_the_examples_does_not_matter(few, encoder):
    rows = few[0][::6]
    forward = fit([text for text, _ in rows], [intent for _, intent in rows], few[1], encoder)
    backward = fit([text for text, _ in rows[::-1]], [intent for _, intent in rows[::-1]], few[1], encoder)
    for text in ("what do you charge", "qwrt zzz", "i feel low"):
        first, second = forward.read(text), backward.read(text)
        assert first.intent == second.intent and first.confidence == pytest.approx(second.confidence, abs=0.02)


def test_a_single_example_an_intent_is_enough_to_train(encoder):
    topics = {"faq_cost": Topic("Cost"), "faq_nhs": Topic("NHS")}
    reader = fit(["what does it cost", "is it on the nhs"], ["faq_cost", "faq_nhs"], topics, encoder)
    assert reader.read("what would it cost").ranking[0][0] == "faq_cost"


@pytest.mark.parametrize("text", ["?", "🙂🙂", "…", "a", "\n\n", "?" * 300, "word " * 900, "和我说话", "1. 2. 3."])
def test_any_message_gets_a_reading(small, text):
    reading = small.read(text)
    assert 0 <= reading.confidence <= 1
    assert sum(probability for _, probability in reading.ranking) == pytest.approx(1, abs=1e-4)


def test_out_of_scope_is_never_offered(small):
    assert all(small.read(text).ranking[-1][0] == OUT_OF_SCOPE for text in ("what is the price", "who won the match"))


def test_neighbours_are_never_offered_against_each_other(reader):
    for text in ("duration", "the therapy thing, is it, you know", "does it", "sessions?", "tell me about styles or something"):
        for name in (offered := reader.read(text).alternatives):
            assert not set(reader.topics[name].neighbours) & set(offered)


# --- saving


def test_a_saved_reader_reads_the_same(small, encoder, tmp_path):
    small.save(tmp_path)
    loaded = Reader.load(tmp_path, encoder)
    for text in ("how much is it", "is it on the nhs and how long is a session", "zzz"):
        first, second = small.read(text), loaded.read(text)
        assert (first.intent, first.questions) == (second.intent, second.questions)
        assert first.confidence == pytest.approx(second.confidence, abs=1e-5)


def test_equal_examples_are_fitted_once(few, encoder, tmp_path):
    rows = few[0][::8]
    given = [text for text, _ in rows], [intent for _, intent in rows], few[1]
    first = fit(*given, encoder, tmp_path)
    second = fit(*given, None, tmp_path)  # no encoder: nothing is embedded
    assert len(list(tmp_path.rglob("*.npz"))) == 1
    assert np.array_equal(first.classifier.arrays()["duals"], second.classifier.arrays()["duals"])


@pytest.mark.parametrize("damage", ["format", "arrays", "topics"])
def test_a_broken_or_foreign_model_says_what_to_do(small, encoder, tmp_path, damage):
    small.save(tmp_path)
    if damage == "format":
        path = tmp_path / "topics.json"
        path.write_text(path.read_text(encoding="utf-8").replace('"format": "', '"format": "old '), encoding="utf-8")
    else:
        (tmp_path / ("classifier.npz" if damage == "arrays" else "topics.json")).write_bytes(b"broken")
    with pytest.raises(ModelError, match="make train"):
        Reader.load(tmp_path, encoder)


# --- the splitter


def test_sentences_lines_and_list_items_are_parts():
    assert sentences("What is it? I'd like it.\nAnd the cost; thanks") == ["What is it?", "I'd like it.", "And the cost", "thanks"]
    assert sentences("1. what is it 2) how much") == ["what is it 2) how much"]
    assert sentences("1. what is it?\n2. how much?") == ["what is it?", "how much?"]


def test_a_second_question_begins_at_a_joining_word():
    assert clauses("what is it and how much is it") == ["what is it", "how much is it"]
    assert clauses("does it help with anxiety and depression") == ["does it help with anxiety and depression"]
    assert clauses("prices and the length of it", loosely=True) == ["prices", "the length of it"]


@pytest.mark.parametrize("part, wanted", [
    ("what is it", True), ("so how much is it", True), ("i wonder if it helps", True), ("my dad left", False), ("it was cold", False),
])
def test_a_part_asks_or_tells(part, wanted):
    assert asks(part) is wanted


def _answered(reading):
    if reading.intent == SEVERAL:
        return sorted(reading.questions)
    return [] if reading.intent in (FALLBACK, OUT_OF_SCOPE) else [reading.intent]


@pytest.mark.parametrize("name", ["several_questions", "one_question", "stories"])
def test_development_messages_are_answered_whole(reader, name):
    rows = [line.split("\t") for line in (DATA / f"{name}.tsv").read_text(encoding="utf-8").splitlines()]
    wrong = [
        (text, intents, found) for text, intents in rows
        if (found := _answered(reader.read(text))) != sorted(set(intents.split(",")) - {OUT_OF_SCOPE})
    ]
    assert len(wrong) <= (1 - SHARE) * len(rows), wrong

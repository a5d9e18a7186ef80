"""The sentence encoder: true to the published model, the same in any company, safe with a memory."""
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from assistant.encoder import BATCH, WIDTH, Encoder, remembered
from assistant.encoder_build import build
from assistant.errors import EncoderError
from assistant.settings import ROOT, Settings

TEXTS = ["how much does it cost", "is it on the nhs", "what happens in a session", "", "🙂", "word " * 400]


@pytest.fixture(scope="module")
def encoder():
    settings = Settings.from_env()
    build(settings)
    return Encoder.load(settings)


def test_both_embeddings_have_length_one(encoder):
    both = encoder.embed_both(TEXTS)
    assert both.shape == (len(TEXTS), 2, WIDTH) and both.dtype == np.float32
    assert np.allclose(np.linalg.norm(both, axis=2), 1, atol=1e-4)


def test_embed_is_the_first_of_both(encoder):
    assert np.array_equal(encoder.embed(TEXTS), encoder.embed_both(TEXTS)[:, 0])


def test_no_texts_give_no_rows(encoder):
    assert encoder.embed([]).shape == (0, WIDTH)
    assert remembered(encoder).embed([]).shape == (0, WIDTH)


def test_a_text_means_the_same_in_any_company(encoder):
    many = [f"message number {number} about therapy" for number in range(2 * BATCH)] + TEXTS
    together = encoder.embed_both(many)[-len(TEXTS):]
    alone = np.concatenate([encoder.embed_both([text]) for text in TEXTS])
    # Activations are quantised a batch at a time, so that company shifts them a little.
    assert (together * alone).sum(axis=2).min() > 0.95
    memory = remembered(encoder)
    assert np.array_equal(memory.embed_both(TEXTS), alone)


def test_agrees_with_the_published_model(encoder):
    path = ROOT.parent / "shared" / "reference" / "minilm_embeddings.jsonl"
    if not path.is_file():
        pytest.skip("the reference embeddings are not part of the repository")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [encoder.tokenizer.encode(row["text"]).ids for row in rows] == [row["token_ids"] for row in rows]
    cosines = (encoder.embed([row["text"] for row in rows]) * np.array([row["embedding"] for row in rows])).sum(axis=1)
    assert cosines.mean() > 0.985 and cosines.min() > 0.95


def test_likeness_of_meaning_beats_likeness_of_words(encoder):
    price, fee, animal = encoder.embed(["what is the price", "how much are the fees", "what is the python"])
    assert price @ fee > price @ animal


class Counting:
    """An encoder that counts the texts that it is given."""

    def __init__(self, encoder):
        self.encoder, self.seen = encoder, []

    def embed_both(self, texts):
        self.seen.extend(texts)
        return self.encoder.embed_both(texts)


def test_a_known_text_is_not_embedded_again(encoder):
    counting = Counting(encoder)
    memory = remembered(counting, size=3)
    first = memory.embed_both(["a", "b"])
    again = memory.embed_both(["b", "a", "b"])
    assert counting.seen == ["a", "b"]
    assert np.array_equal(again, first[[1, 0, 1]])


def test_the_oldest_text_is_forgotten_first(encoder):
    counting = Counting(encoder)
    memory = remembered(counting, size=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        memory.embed([text])
    assert counting.seen == ["a", "b", "c", "b"]


def test_the_memory_may_be_used_by_several_threads(encoder):
    memory = remembered(encoder, size=3)
    texts = [f"question {number % 7}" for number in range(60)]
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda text: memory.embed([text])[0], texts))
    expected = {text: encoder.embed([text])[0] for text in set(texts)}
    assert all(np.array_equal(row, expected[text]) for row, text in zip(rows, texts))


def test_an_encoder_that_is_not_built_says_what_to_do(tmp_path):
    with pytest.raises(EncoderError, match="make setup"):
        Encoder(tmp_path)

"""Which messages count as English."""
import pytest

from assistant.language import is_english


@pytest.mark.parametrize("text", [
    "how much is it", "hi im sam", "oi oi", "asdf qwer zxcv", "Totnes, face-to-face", "help", "<b>hello</b>", "", "👍",
    "my mum always said c'est la vie and left us", "n.h.s. therapy",
])
def test_english_short_and_mixed_messages_count_as_english(text):
    assert is_english(text)


@pytest.mark.parametrize("text", [
    "je ne sais pas quoi faire", "ich weiß nicht was ich tun soll", "pomocy nie wiem co robić", "我需要帮助", "мне очень плохо",
    "أحتاج مساعدة", "non so più cosa fare con la mia vita", "ik weet niet wat ik moet doen",
])
def test_other_languages_are_told(text):
    assert not is_english(text)

"""The errors that the project raises: each is one line with a name, a value and a remedy."""


class AssistantError(Exception):
    """Base of all errors meant for the person at the keyboard; commands print it and exit with 1."""


class SettingsError(AssistantError):
    """A setting is unknown, malformed or incomplete."""


class ContentError(AssistantError):
    """A file under data/ is missing, malformed or contradicts another."""


class EncoderError(AssistantError):
    """The sentence encoder is missing or is not the known one."""


class ModelError(AssistantError):
    """A trained model is missing, broken or from another version."""


class DirectoryError(AssistantError):
    """The therapist directory cannot be read or imported."""


class InputFileError(AssistantError):
    """A file given to a command is missing or malformed."""

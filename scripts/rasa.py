"""`python -m scripts.rasa …`: Rasa's own command line, with what endpoints.yml needs and without the libraries' warnings."""
import os
import sys
import warnings

from assistant.errors import AssistantError
from assistant.secrets import internal_token
from assistant.settings import Settings

# How long a killed server's lock holds up its conversations: above the longest turn, far below the 60 s that Rasa allows.
LOCK_SECONDS = 10


def _silent(*arguments: object, **named: object) -> None:
    """Print nothing: filters would not do, since a library resets them while it is imported."""


def prepare(serving: bool) -> None:
    """Set the variables that endpoints.yml names. Only a server needs the token: a training makes no secret."""
    settings = Settings.from_env()
    os.environ.setdefault("TICKET_LOCK_LIFETIME", str(LOCK_SECONDS))
    os.environ.update({
        "ASSISTANT_ACTIONS_URL": settings.actions_url, "ASSISTANT_MODELS_URL": settings.models_url,
        "ASSISTANT_REDIS_HOST": settings.redis_host, "ASSISTANT_REDIS_PORT": str(settings.redis_port),
        "MODELS_TOKEN": internal_token(settings) if serving else "none",
    })


warnings.showwarning = _silent  # type: ignore[assignment]

if __name__ == "__main__":
    try:
        prepare("run" in sys.argv[1:2])
    except AssistantError as error:
        sys.exit(str(error))
    from rasa.__main__ import main

    main()

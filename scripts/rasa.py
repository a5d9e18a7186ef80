"""`python -m scripts.rasa …`: Rasa's own command line without the warnings that its libraries give about each other."""
import os
import warnings

# How long a killed server's lock holds up its conversations: above the longest turn, far below the 60 s that Rasa allows.
os.environ.setdefault("TICKET_LOCK_LIFETIME", "10")


def _silent(*arguments: object, **named: object) -> None:
    """Print nothing: filters would not do, since a library resets them while it is imported."""


warnings.showwarning = _silent  # type: ignore[assignment]

if __name__ == "__main__":
    from rasa.__main__ import main

    main()

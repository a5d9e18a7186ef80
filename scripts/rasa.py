"""`python -m scripts.rasa …`: Rasa's own command line without the warnings that its libraries give about each other."""
import warnings


def _silent(*arguments: object, **named: object) -> None:
    """Print nothing: filters would not do, since a library resets them while it is imported."""


warnings.showwarning = _silent  # type: ignore[assignment]

if __name__ == "__main__":
    from rasa.__main__ import main

    main()

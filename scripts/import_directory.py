"""Imports a directory of therapists from a CSV file: `python -m scripts.import_directory FILE`."""
from __future__ import annotations

import sys
from pathlib import Path

from tqdm import tqdm

from assistant.directory.importing import import_directory
from assistant.directory.opening import directory_path
from assistant.errors import AssistantError
from assistant.places import Gazetteer
from assistant.settings import Settings


def main() -> int:
    """Import the file named on the command line; return the exit code."""
    if len(sys.argv) != 2 or not sys.argv[1]:
        print("Give the file: make import-directory FILE=therapists.csv", file=sys.stderr)
        return 1
    try:
        settings = Settings.from_env()
        with tqdm(unit=" rows", desc="Directory", file=sys.stderr) as bar:
            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            result = import_directory(Path(sys.argv[1]), directory_path(settings), Gazetteer.load(settings), progress)
    except AssistantError as error:
        print(error, file=sys.stderr)
        return 1
    if result.bad:
        for row in result.bad:
            print(f"line {row.line}: {'; '.join(row.reasons)}")
        print(f"Nothing was imported: correct {len(result.bad)} row(s) and try again.", file=sys.stderr)
        return 1
    kind = "invented sample entries, shown on this machine only" if result.sample else "therapists"
    print(f"{result.written} {kind} imported.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

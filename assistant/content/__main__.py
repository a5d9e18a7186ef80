"""`python -m assistant.content` checks all content, prints every problem and exits with 1 if there is one."""
from __future__ import annotations

import sys

from assistant.content.check import check
from assistant.errors import AssistantError
from assistant.settings import ROOT


def main() -> int:
    """Print all problems, path first, then a line with their number; return the exit code."""
    try:
        problems = check(ROOT)
    except AssistantError as error:
        print(error, file=sys.stderr)
        return 1
    for problem in problems:
        print(problem)
    failures = sum(not problem.warning for problem in problems)
    print(f"Content check: {failures} problems, {len(problems) - failures} warnings.")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

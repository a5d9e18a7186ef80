"""`python -m gateway.backup save FILE` and `restore FILE`: the journal without a word of any visitor, as JSON lines.

Kept are the turns (what a reference code stands for), the feedback, the ids of messages seen, and the outline of the staff's
queues; conversations, messages, replies and every text are left out. A restored journal therefore answers no old message twice,
and knows old codes; open chats begin anew.
"""
from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.engine import Connection

from assistant.errors import AssistantError, InputFileError
from assistant.journal import journal_url
from assistant.settings import Settings
from gateway import logs
from gateway.database import Database
from gateway.schema import TEXT_COLUMNS, feedback, inbox, review, seen, turns
from gateway.sql import insert_new

TABLES = {table.name: table for table in (turns, feedback, seen, inbox, review)}
COMMANDS = ("save", "restore")


async def save(database: Database, path: Path) -> int:
    """Write the back-up to `path`, readable by its owner alone, and return the number of rows. Raises JournalError."""
    rows = await database.read(lambda connection: list(_rows(connection)))
    draft = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    os.replace(draft, path)
    return len(rows)


async def restore(database: Database, path: Path) -> int:
    """Put the rows of a back-up into the journal, beside what it holds, and return how many were new.

    Raises InputFileError, JournalError.
    """
    try:
        rows = [_row(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, LookupError, TypeError):
        raise InputFileError(f"{path}: not a back-up of the journal. Give a file that `save` wrote.") from None
    return await database.write(lambda connection: sum(insert_new(connection, TABLES[name], **values) for name, values in rows))


def _rows(connection: Connection) -> Iterator[dict[str, Any]]:
    for name, table in TABLES.items():
        # The numbers of the queues' rows are the database's own.
        left_out = {"id": ..., **dict.fromkeys(TEXT_COLUMNS.get(name, ()), "")}
        for row in connection.execute(select(table)).mappings():
            values = {column: left_out.get(column, value) for column, value in row.items()}
            yield {"table": name, "values": {column: value for column, value in values.items() if value is not ...}}


def _row(line: Any) -> tuple[str, dict[str, Any]]:
    name, values = line["table"], line["values"]
    if not set(values) <= set(TABLES[name].columns.keys()):
        raise ValueError(name)
    return name, values


async def _run(command: str, path: Path) -> str:
    database = Database(journal_url(Settings.from_env()))
    await database.start(alone=False)
    try:
        count = await (save if command == "save" else restore)(database, path)
    finally:
        await database.stop()
    return f"{path}: {count} rows {'saved' if command == 'save' else 'restored'}."


def main(arguments: Sequence[str]) -> int:
    """Run the command; return the exit code."""
    logs.configure()
    try:
        if len(arguments) != 2 or arguments[0] not in COMMANDS:
            raise InputFileError("Give: python -m gateway.backup save FILE, or restore FILE.")
        print(asyncio.run(_run(arguments[0], Path(arguments[1]))))
    except AssistantError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

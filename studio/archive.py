"""Trained models rewritten file by file, without Rasa: other answers in the same model."""
from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Callable

from assistant.errors import ModelError


def rewrite(archive: Path, out: Path, change: Callable[[str, bytes], bytes]) -> None:
    """Write the model `archive` to `out`, by rename, with each file's content passed through `change(name, content)`.

    Raises ModelError when the archive is not of the known form, or when `change` raises KeyError or ValueError.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with tarfile.open(archive, "r:gz") as old, tarfile.open(draft, "w:gz", compresslevel=1) as new:
            for member in old.getmembers():
                file = old.extractfile(member)
                if file is None:
                    new.addfile(member)
                    continue
                content = change(member.name, file.read())
                member.size = len(content)
                new.addfile(member, io.BytesIO(content))
        os.replace(draft, out)
    except (OSError, EOFError, tarfile.TarError, KeyError, ValueError) as error:
        raise ModelError(f"{archive.name}: cannot be rewritten ({error}). Train it anew.") from error
    finally:
        draft.unlink(missing_ok=True)

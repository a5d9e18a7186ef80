"""`make train`: check the content, train a model, and put it in place by rename; nothing when nothing changed."""
from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Mapping, Optional, Sequence

from assistant.content import check
from assistant.errors import AssistantError, ModelError
from assistant.settings import ROOT, Settings

MODEL = "assistant.tar.gz"
# No stories glued together from others: no policy of ours learns from them.
OPTIONS = ("--augmentation", "0")
# All that a model depends on. Code counts, since a model from other code may not load.
INPUTS = ("config.yml", "domain.yml", "requirements.lock", "data", "addons", "assistant")


def fingerprint(root: Path = ROOT) -> str:
    """Return a hash of everything that a model below `root` is trained from."""
    digest = hashlib.sha256()
    for name in INPUTS:
        start = root / name
        for path in [start] if start.is_file() else sorted(start.rglob("*")):
            if path.suffix in (".yml", ".py", ".lock") and path.is_file():
                digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def train(settings: Settings, root: Path = ROOT) -> Path:
    """Return the trained model of the files below `root`, made anew unless they are as they were.

    Raises ModelError with the reason when the content has problems or Rasa refuses it.
    """
    model, stamp = settings.models / MODEL, settings.models / "trained-from"
    wanted = fingerprint(root)
    if model.is_file() and stamp.is_file() and stamp.read_text() == wanted:
        return model
    problems = [problem for problem in check(root) if not problem.warning]
    if problems:
        raise ModelError("\n".join(str(problem) for problem in problems) + "\nThe content has problems: mend them first.")
    print("[train] a model, since the data changed", file=sys.stderr)
    settings.models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.models, prefix=".training-") as folder:
        rasa_train(root, Path(folder))
        os.replace(Path(folder) / MODEL, model)
    stamp.write_text(wanted)
    return model


def rasa_train(root: Path, out: Path, options: Sequence[str] = OPTIONS, env: Optional[Mapping[str, str]] = None) -> None:
    """Train a model of the files below `root` into the folder `out`, as `assistant.tar.gz`; raises ModelError."""
    command = [
        sys.executable, "-W", "ignore", "-m", "scripts.rasa", "train", "--quiet", "--data", "data", "--domain", "domain.yml",
        "--config", "config.yml", *options, "--out", str(out), "--fixed-model-name", MODEL.split(".")[0],
    ]
    done = subprocess.run(command, cwd=root, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    # `rasa train` may exit with 0 and no model: the file is what counts.
    if done.returncode or not (out / MODEL).is_file():
        raise ModelError(f"rasa train failed:\n{_tail(done.stdout)}")


def _tail(output: str, lines: int = 15) -> str:
    return "\n".join(output.strip().splitlines()[-lines:])


def main() -> int:
    """Train when need be; return the exit code."""
    try:
        train(Settings.from_env())
    except AssistantError as error:
        print(f"make train: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

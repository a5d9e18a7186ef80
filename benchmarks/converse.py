"""`make converse FILE=x.jsonl`: plays written dialogues against a running gateway and prints the replies.

Each line of the file is `{"name", "turns": [...]}`; a turn is `{"user": text}`, `{"user_repeat": [word, n]}` for a long
message, or `{"choose": n}`, which presses the n-th button of the last reply. The readable dialogues go to standard output
first, then one line of JSON for each dialogue. The gateway's address is ASSISTANT_PUBLIC_URL, else the local one.
"""
from __future__ import annotations

import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any, Mapping, Sequence

import requests

from assistant.errors import AssistantError, InputFileError
from assistant.settings import Settings

SECONDS = 15.0
TRIES = 20


class Visitor:
    """One conversation with the gateway at `base`."""

    def __init__(self, base: str) -> None:
        self._base, self._http = base, requests.Session()
        self._http.trust_env = False
        self._choices: list[Mapping[str, str]] = []
        started = self._patiently("POST", "/api/session", {})
        if started.status_code != 201:
            raise InputFileError(f"{base} answers {started.status_code} to a new session: is this the gateway's address?")
        self._token = started.json()["token"]

    def say(self, turn: Mapping[str, Any]) -> dict[str, Any]:
        """Send one turn and return {"user", "status", "seconds", "replies"}, and "error" where there was one."""
        body, shown = self._body(turn)
        before = time.monotonic()
        response = self._patiently("POST", "/api/messages", {"id": str(uuid.uuid4()), **body})
        seconds = round(time.monotonic() - before, 3)
        value = response.json()
        self._token = value.get("token", self._token)
        messages = value.get("messages") or ([value["help"]] if "help" in value else [])
        self._choices = [choice for message in messages for choice in message.get("choices") or []]
        return {"user": shown, "status": response.status_code, "seconds": seconds, "replies": messages,
                **({"error": value["error"]} if "error" in value else {})}

    def _body(self, turn: Mapping[str, Any]) -> tuple[dict[str, str], str]:
        if "user" in turn:
            return {"text": turn["user"]}, turn["user"]
        if "user_repeat" in turn:
            word, count = turn["user_repeat"]
            return {"text": " ".join([word] * count)}, f"{word} (written {count} times)"
        number = turn["choose"]
        if not 1 <= number <= len(self._choices):
            raise InputFileError(f"choose: {number}: the last reply offered {len(self._choices)} choices.")
        choice = self._choices[number - 1]
        return {"choice": choice["choice"]}, f"[{choice['label']}]"

    def _patiently(self, method: str, path: str, body: Mapping[str, Any]) -> requests.Response:
        """Call again, with the same id, while the gateway says that this visitor is too fast."""
        for _ in range(TRIES):
            response = self._call(method, path, body)
            if response.status_code != 429:
                break
            time.sleep(float(response.headers.get("Retry-After", 1)))
        return response

    def _call(self, method: str, path: str, body: Mapping[str, Any]) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._token}"} if hasattr(self, "_token") else {}
        try:
            return self._http.request(method, self._base + path, json=body, headers=headers, timeout=SECONDS)
        except requests.RequestException as error:
            raise InputFileError(f"{self._base}: no gateway answers there ({type(error).__name__}). Start it with `make run`.") from None


def read(path: Path) -> list[dict[str, Any]]:
    """Return the dialogues of a file. Raises InputFileError with the line that is wrong."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(f"{path}: cannot be read ({type(error).__name__}). Give FILE=a file of JSON lines.") from None
    dialogues = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            dialogues.append(_dialogue(line, f"{path}:{number}"))
    if not dialogues:
        raise InputFileError(f"{path}: holds no dialogue.")
    return dialogues


def _dialogue(line: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        raise InputFileError(f"{where}: not a line of JSON.") from None
    if not isinstance(value, dict) or not isinstance(value.get("name"), str) or not isinstance(value.get("turns"), list):
        raise InputFileError(f'{where}: give {{"name": …, "turns": [{{"user": …}}]}}.')
    for turn in value["turns"]:
        if not _is_turn(turn):
            raise InputFileError(f'{where}: a turn is {{"user": text}}, {{"user_repeat": [word, n]}} or {{"choose": n}}.')
    return value


def _is_turn(turn: Any) -> bool:
    if not isinstance(turn, dict) or len(turn.keys() & {"user", "user_repeat", "choose"}) != 1:
        return False
    repeat = turn.get("user_repeat", ["", 1])
    return (isinstance(turn.get("user", ""), str) and isinstance(turn.get("choose", 1), int) and isinstance(repeat, list)
            and len(repeat) == 2 and isinstance(repeat[0], str) and isinstance(repeat[1], int))


def readable(name: str, turns: Sequence[Mapping[str, Any]]) -> str:
    """Return a played dialogue for people."""
    lines = [f"== {name}"]
    for turn in turns:
        lines.append(f"visitor:   {turn['user'] if len(turn['user']) <= 200 else turn['user'][:200] + '…'}")
        if "error" in turn:
            lines.append(f"  ({turn['status']} {turn['error']['code']}: {turn['error']['message']})")
        for message in turn["replies"]:
            lines += [f"assistant: {line}" if first == 0 else f"           {line}" for first, line in enumerate(_lines(message))]
    return "\n".join(lines)


def _lines(message: Mapping[str, Any]) -> list[str]:
    lines = str(message.get("text") or "").splitlines()
    lines += [f"-> {link['label']}: {link['url']}" for link in message.get("links") or []]
    lines += [f"-> {card['name']}, {card.get('town')}: {card['url']}" for card in message.get("cards") or []]
    lines += [f"-> {service['name']}: {service.get('call') or service.get('sms') or service.get('web') or ''}"
              for service in message.get("services") or []]
    return lines + [f"[{choice['label']}]" for choice in message.get("choices") or []]


def main(arguments: Sequence[str]) -> int:
    """Play the dialogues of the file named first; return the exit code."""
    try:
        if not arguments:
            raise InputFileError("Give a file: make converse FILE=x.jsonl")
        settings = Settings.from_env()
        base = arguments[1].rstrip("/") if len(arguments) > 1 else settings.public_url or f"http://127.0.0.1:{settings.gateway_port}"
        played = []
        for dialogue in read(Path(arguments[0])):
            visitor = Visitor(base)
            played.append({"name": dialogue["name"], "turns": [visitor.say(turn) for turn in dialogue["turns"]]})
            print(readable(dialogue["name"], played[-1]["turns"]), end="\n\n", flush=True)
        for dialogue in played:
            print(json.dumps(dialogue, ensure_ascii=False))
    except AssistantError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

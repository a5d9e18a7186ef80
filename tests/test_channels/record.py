"""Write recorded/*.jsonl anew: calls of each service made with its documented algorithm, and what they mean. Run once, by hand."""
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from fakes import SERVICES  # noqa: E402


def calls(service):
    """Yield (name, kinds expected, call)."""
    user = service.user
    yield "text", ["text"], service.text(user, "How many sessions will I need?")
    yield "other letters", ["text"], service.text(user, "Größe £5 – naïve 😀 <b>&amp;</b>")
    if service.name != "twilio":
        yield "button", ["choice"], service.press(user, "AbCdEfGhIjKlMnOpQrStUv")
    for number, call in enumerate(service.media(user)):
        yield f"media {number}", ["media"], call
    for name, call in service.silent(user):
        yield f"silent: {name}", [], call
    if service.name in ("whatsapp", "messenger"):
        yield "batch", ["text", "text", "text"], service.call(*(service.written(user, f"message {number}") for number in range(3)))


def main():
    (HERE / "recorded").mkdir(exist_ok=True)
    for name, fake in SERVICES.items():
        service = fake()
        lines = [json.dumps({"name": title, "kinds": kinds, "headers": dict(call.headers), "body": call.body.decode()}, ensure_ascii=True)
                 for title, kinds, call in calls(service)]
        (HERE / "recorded" / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

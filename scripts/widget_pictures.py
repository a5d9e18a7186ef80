"""`python -m scripts.widget_pictures`: draws docs/images/widget-<state>.png, tablet and README pictures with Chromium.

Each picture of a state shows, side by side: a phone of 320 px, the panel at 1280 px, light and dark, and forced colours.
"""
from __future__ import annotations

import io
import sys
from typing import Any, Sequence

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from assistant.settings import ROOT, Settings
from scripts import build_widget
from tests.browser import talk
from tests.browser.conftest import FLAGS, chromium
from tests.browser.fake_gateway import FakeGateway

IMAGES = ROOT / "docs" / "images"
PHONE, TABLET, DESKTOP = (320, 640), (768, 1024), (1280, 760)
VIEWS: Sequence[tuple[tuple[int, int], dict[str, Any]]] = (
    (PHONE, {}), (DESKTOP, {}), (DESKTOP, {"color_scheme": "dark"}), (DESKTOP, {"forced_colors": "active"}))
EDGE = 456  # px from the right of the desktop window: the panel and its margins
GAP, GROUND = 12, "#8a847b"
LARGEST = 150_000  # bytes of a picture


class Studio:
    """Takes pictures of the demo page against a fake gateway."""

    def __init__(self, browser: Browser, gateway: FakeGateway) -> None:
        self._browser, self._gateway = browser, gateway

    def page(self, size: tuple[int, int], **media: Any) -> Page:
        """Return the demo page in a new window of `size`."""
        self._gateway.reset()
        context = self._browser.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", **media)
        page = context.new_page()
        page.goto(self._gateway.url + "/")
        return page

    def take(self, page: Page, left: int = 0) -> Image.Image:
        """Return what `page` shows from `left` on, without the focus ring of the text area, and close it."""
        page.mouse.move(1, 1)
        image = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
        page.context.close()
        return image.crop((left, 0, *image.size))

    def state(self, name: str) -> Image.Image:
        """Return a strip with the state `name` in each of VIEWS."""
        parts = []
        for size, media in VIEWS:
            page = self.page(size, **media)
            talk.STATES[name](page, self._gateway)
            parts.append(self.take(page, size[0] - EDGE if size is DESKTOP else 0))
        strip = Image.new("RGB", (sum(part.width for part in parts) + GAP * (len(parts) - 1), max(part.height for part in parts)), GROUND)
        left = 0
        for part in parts:
            strip.paste(part, (left, 0))
            left += part.width + GAP
        return strip


def save(image: Image.Image, name: str) -> None:
    """Write `image` with a palette, which halves it and shows no difference on these plain colours."""
    path = IMAGES / f"{name}.png"
    image.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size:>7}", file=sys.stderr)
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes are more than {LARGEST}. Show less.")


def main() -> int:
    """Draw all; return the exit code."""
    build_widget.build(Settings.from_env())
    IMAGES.mkdir(parents=True, exist_ok=True)
    gateway = FakeGateway()
    gateway.replies, gateway.card = talk.REPLIES, talk.help_card()
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium(), args=FLAGS) as browser:
        studio = Studio(browser, gateway)
        for name in talk.STATES:
            save(studio.state(name), f"widget-{name}")
        for name, size in (("widget-tablet", TABLET), ("readme", DESKTOP)):
            page = studio.page(size)
            talk.ask(talk.opened(page))
            save(studio.take(page), name)
    gateway.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

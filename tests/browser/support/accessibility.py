"""axe, which finds barriers on a page."""

from playwright.sync_api import Page

from tests.support.servers import instances

AXE = (instances.TOP / "node_modules/axe-core/axe.min.js").read_text()


SERIOUS = ("serious", "critical")


# What axe finds once the page has taken on another theme and width, and the ground that it is drawn on.
LOOK = """async () => {
  const frame = () => new Promise(requestAnimationFrame)
  await frame().then(frame)
  const { violations } = await axe.run({ resultTypes: ["violations"] })
  return {
    found: violations.map(({ impact, id, nodes }) => [impact, id, nodes[0].html]),
    isWide: document.documentElement.scrollWidth > innerWidth,
    ground: getComputedStyle(document.body).backgroundColor,
  }
}"""


# Each theme and each width once: colours do not depend on the width, nor shapes on the theme.
LOOKS = {"light": 1440, "dark": 320}


def inspect(page: Page) -> list[str]:
    """Return what axe finds serious, light at 1440 and dark at 320 pixels, and where the page is too wide."""
    found, grounds = [], set()
    page.evaluate(AXE)
    for scheme, width in LOOKS.items():
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        seen = page.evaluate(LOOK)
        where = f"{page.url} {scheme} {width}px"
        found += [f"{where}: {rule} {html}" for impact, rule, html in seen["found"] if impact in SERIOUS]
        found += [f"{where}: scrolls sideways"] if seen["isWide"] else []
        grounds.add(seen["ground"])
    return found if len(grounds) == 2 else [*found, f"{page.url}: is not drawn once light and once dark"]

"""An HTML page that needs nothing else: a package's `page.html` (jinja2, autoescaped) with its `style.css` inside."""

from collections.abc import Callable, Mapping
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup


def render(package: str, filters: Mapping[str, Callable[..., object]], **context: object) -> str:
    """The page of `package` (dotted name) from `context`.

    Text is escaped; what draws SVG hands over Markup.
    """
    return drawing(package, filters)(**context)


def drawing(package: str, filters: Mapping[str, Callable[..., object]]) -> Callable[..., str]:
    """What draws the page from its context, for one that is drawn often; the template finds its stylesheet as `style`."""
    folder = files(package)
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= filters
    environment.globals["style"] = Markup(folder.joinpath("style.css").read_text(encoding="utf-8"))  # noqa: S704 (our own file)
    draw: Callable[..., str] = environment.from_string(folder.joinpath("page.html").read_text(encoding="utf-8")).render
    return draw

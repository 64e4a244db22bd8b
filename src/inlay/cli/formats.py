"""`inlay formats`: what can be read and written, and what each cannot hold."""

from __future__ import annotations

from inlay import plugins


def formats(name: str | None = None, /) -> int:
    """List the formats, and what each cannot hold; with a name, all about that one.

    Example: `inlay formats` or `inlay formats yolo`

    Parameters
    ----------
    name
        A format.
    """
    from rich.console import Console

    console = Console()
    if name is not None:
        console.print(_about(name), highlight=False, markup=False)
        return 0
    from rich.table import Table

    table = Table("format", "what it is", "what it cannot hold", box=None, pad_edge=False)
    for each in plugins.names("formats"):
        module = plugins.load("formats", each)
        table.add_row(each, _first_sentence(module.__doc__ or ""), ", ".join(_lacking(module.KEEPS)) or "-")
    console.print(table)
    console.print("\ncrowd, tags, ...: `inlay convert` refuses to lose them without --lossy.", style="dim")
    console.print("One format in full: `inlay formats NAME`", style="dim")
    return 0


def _lacking(keeps: frozenset[str]) -> list[str]:
    """The facts that a format does not keep, but for bookkeeping, in the order they are documented in."""
    from inlay.formats.parts.facts import CLASS_FACTS, NOTED, SAMPLE_FACTS, SEGMENT_FACTS

    order = (*SEGMENT_FACTS, *SAMPLE_FACTS, *CLASS_FACTS)
    return [fact for fact in order if fact not in keeps and fact not in NOTED]


def _first_sentence(text: str) -> str:
    return text.strip().splitlines()[0].partition(": ")[0].rstrip(".").replace("`", "")


def _about(name: str) -> str:
    """All that a format says of itself."""
    from inlay.formats.parts.facts import FACTS, NOTED

    module = plugins.load("formats", name)
    lines = [(module.__doc__ or "").strip(), ""]
    lines.append(f"keeps: {', '.join(sorted(module.KEEPS))}")
    lines.append(f"cannot hold: {', '.join(_lacking(module.KEEPS)) or 'nothing is lost'}")
    noted = sorted((FACTS - module.KEEPS) & NOTED)
    lines.append(f"loses of the bookkeeping: {', '.join(noted) or 'nothing'}")
    if readers := getattr(module, "READERS", ()):
        lines.append(f"readers of its polygons (--reader): {', '.join(readers)}")
    return "\n".join(lines)

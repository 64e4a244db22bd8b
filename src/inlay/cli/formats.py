"""`inlay formats`: what can be read and written, and what each holds."""

from __future__ import annotations

from inlay import plugins


def formats() -> int:
    """List the formats, and what each can hold beyond masks and classes.

    Example: `inlay formats`
    """
    from rich.console import Console
    from rich.table import Table

    table = Table("format", "what it is", "what it keeps")
    for name in plugins.names("formats"):
        module = plugins.load("formats", name)
        table.add_row(name, (module.__doc__ or "").strip().splitlines()[0], ", ".join(sorted(module.KEEPS)))
    Console().print(table)
    return 0

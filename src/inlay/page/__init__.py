"""Self-contained web pages: one file, no network, light and dark, everything escaped."""

from inlay.page.charts import bars, curve, heatmap
from inlay.page.markup import (
    Html,
    figures,
    fold,
    grid,
    legend,
    page,
    picture,
    section,
    swatch,
    table,
    text,
    write_page,
)

__all__ = [
    "Html",
    "bars",
    "curve",
    "figures",
    "fold",
    "grid",
    "heatmap",
    "legend",
    "page",
    "picture",
    "section",
    "swatch",
    "table",
    "text",
    "write_page",
]

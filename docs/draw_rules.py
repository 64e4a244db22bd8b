"""Write the pages of the rules, vocabulary and packs, and their pictures: python docs/draw_rules.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from inlay.core.dataset import Sample
from inlay.core.errors import InlayError
from inlay.core.overlay import draw
from inlay.rules import pack_names, read_rules
from inlay.rules.columns import Column, vocabulary
from inlay.rules.expression import Reference
from inlay.rules.pictures import read_examples
from inlay.rules.rule import Rule
from inlay.rules.tables import ImageTable, PairTable, UnknownError

HERE = Path(__file__).parent
TILE, MARGIN = 10, 4  # pixels of the picture for each letter, and between pictures
ARGUMENTS: dict[str, str] = {
    "pixels": "40",
    "width": "4",
    "word": "truncated",
    "key": "annotator",
    "side": "top",
    "class_name": "car",
    "concept": "sky",
    "score": "0.5",
    "column": "area_px",
    "distance": "3",
    "tolerance": "1",
}
LEGEND: dict[str, Any] = {
    "a": {"class": "car", "tags": ["truncated"]},
    "b": {"class": "car"},
    "c": {"class": "person"},
    "s": {"class": "sky", "kind": "stuff"},
    "r": {"class": "road", "kind": "stuff"},
}
SEGMENTS = {
    "block": ".........\n.aaaaaaa.\n.aaaaaaa.\n.aaaaaaa.\n.aaaaaaa.\n.........",
    "pole": "....a....\n....a....\n....a....\n....a....\n....a....\n....a....",
    "ring": ".........\n.aaaaaaa.\n.a.....a.\n.a.....a.\n.aaaaaaa.\n.........",
    "tongue": ".........\n.aaaa....\n.aaaaaaa.\n.aaaa....\n.aaaa....\n.........",
    "pieces": ".........\n.aaaa....\n.aaaa..a.\n.aaaa....\n.aaaa....\n.........",
    "bite": ".........\n.aaaaaaa.\n.aaaaaaa.\n.aa..aaa.\n.aa..aaa.\n.........",
}
PAIRS = {
    "beside": ".........\n.aaaacccc\n.aaaacccc\n.aaaacccc\n.........",
    "on top": ".........\n...aaa...\n...aaa...\n..ccccc..\n.........",
    "within": ".ccccccc.\n.caaaccc.\n.caaaccc.\n.ccccccc.\n.........",
    "overlap": ".........\n.aaaaa...\n.aaaaa...\n.........\n.........\n\n"
    ".........\n...cccc..\n...cccc..\n...cccc..\n.........",
}
IMAGES = {
    "street": "sssssssss\nsssssssss\nraaarrccr\nraaarrccr\nrrrrrrrrr",
    "gaps": "sssssssss\nsssssssss\n.........\nraaar.ccr\nrrrrrrrrr",
    "cars": ".........\n.aa...bb.\n.aa...bb.\n.........\n.........",
}
TITLES = {
    "segment": "Columns of a segment",
    "pair": "Columns of a pair",
    "image": "Columns of an image",
    "step": "Columns of a step: a track, in one frame and its next",
    "track": "Columns of a track: one instance id in one video",
    "sequence": "Columns of a sequence: one video",
    "dataset": "Columns of a data set, one row for each class",
}


def sample(picture: str) -> Sample:
    """A picture of letters, four pixels to each."""
    return read_examples({"pass": [picture], "legend": LEGEND, "scale": 4})[0].sample()


def sheet(pictures: dict[str, str]) -> Image.Image:
    """The pictures side by side, each with its name."""
    tiles = []
    for name, picture in pictures.items():
        label = sample(picture).label()
        shown = draw(np.full((*label.size, 3), 245, np.uint8), label, names=False)
        big = Image.fromarray(shown).resize((label.size[1] * TILE // 4, label.size[0] * TILE // 4), 0)
        tile = Image.new("RGB", (big.width + 2 * MARGIN, big.height + 18), "white")
        tile.paste(big, (MARGIN, 0))
        ImageDraw.Draw(tile).text((MARGIN, big.height + 3), name, fill="black")
        tiles.append(tile)
    whole = Image.new("RGB", (sum(tile.width for tile in tiles), max(tile.height for tile in tiles)), "white")
    for place, tile in enumerate(tiles):
        whole.paste(tile, (sum(each.width for each in tiles[:place]), 0))
    return whole.quantize(32)


def value(column: Column, picture: str) -> str:
    """What a column measures in a picture: at its first segment, its first pair, or as a whole."""
    image = ImageTable(sample(picture))
    table: Any = image
    if column.scope == "segment":
        table = image.segments
    elif column.scope == "pair":
        table = PairTable.of(image.segments)
    try:
        found = column(table, Reference("", column.name, ARGUMENTS.get(column.takes)))
    except (UnknownError, InlayError):
        return ""
    first = found if column.scope == "image" or found is None else found[0]
    return _word(first)


def _word(item: Any) -> str:
    if isinstance(item, int | np.integer) and not isinstance(item, bool) and abs(int(item)) > 1 << 40:
        return "(a number)"
    if item is None or (isinstance(item, float | np.floating) and np.isnan(item)):
        return ""
    if isinstance(item, bool | np.bool_):
        return "yes" if item else "no"
    if isinstance(item, float | np.floating):
        return f"{item:.3g}"
    return str(item).replace("|", "\\|")


def vocabulary_page() -> str:
    """All columns of all scopes, with what they measure in the pictures."""
    lines = [
        "# The vocabulary of the rules",
        "",
        "Columns that rules may read, by scope. *Late* ones need the whole data set. `name(x)` takes an",
        "argument: `spur_px(2)`, `tag('occluded')`; a plain word may follow an underscore, `tag_occluded`.",
        "The pictures are four pixels to a square; empty is unknown.",
        "This page is written by `python docs/draw_rules.py`.",
    ]
    known = vocabulary()
    for scope, title in TITLES.items():
        pictures = {"segment": SEGMENTS, "pair": PAIRS, "image": IMAGES}.get(scope, {})
        lines += ["", f"## {title}", ""]
        if pictures:
            lines += [f"![{', '.join(pictures)}](../pictures/rules_{scope}.png)", ""]
        lines.append("| column | holds | " + "".join(f"{name} | " for name in pictures) + "what it is |")
        lines.append("|---|---|" + "---|" * len(pictures) + "---|")
        for (of, name), column in sorted(known.items()):
            if of == scope:
                lines.append(_row(name, column, pictures))
    return "\n".join(lines) + "\n"


def _row(name: str, column: Column, pictures: dict[str, str]) -> str:
    call = f"{name}({ARGUMENTS.get(column.takes, column.takes)})" if column.takes else name
    if column.takes and not column.takes_number:
        call = f"{name}('{ARGUMENTS.get(column.takes, column.takes)}')"
    values = ["" if column.late else value(column, picture) for picture in pictures.values()]
    words = " ".join(column.explains.split()).replace("|", "\\|")
    late = "*Late.* " if column.late and column.scope in ("segment", "image") else ""
    return f"| `{call}` | {column.kind} | " + "".join(f"{each} | " for each in values) + f"{late}{words} |"


def packs_page() -> str:
    """All rules of all packs."""
    lines = [
        "# The packs",
        "",
        "Each rule is tested by the pictures it carries: `inlay check --test-rules`. A rule file changes one",
        "by its id. This page is written by `python docs/draw_rules.py`.",
    ]
    for pack in pack_names():
        rules = list(_own(pack))
        inherited = sorted({rule.file.removeprefix("pack ") for rule in read_rules([pack])} - {pack})
        lines += ["", f"## {pack}", ""]
        if inherited:
            lines += [f"With all of {', '.join(f'`{name}`' for name in inherited)}.", ""]
        lines += ["| rule | scope | severity | says | condition |", "|---|---|---|---|---|"]
        for rule in rules:
            says = rule.message.replace("|", "\\|")
            cells = (f"`{rule.id}`", rule.scope, rule.severity, says, _condition(rule))
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _own(pack: str) -> Iterator[Rule]:
    return (rule for rule in read_rules([pack]) if rule.file == f"pack {pack}")


def _condition(rule: Rule) -> str:
    parts = [f"where `{rule.where.text}`"] if rule.where else []
    verb = "forbid" if rule.forbids else "require"
    parts.append("" if rule.over else f"{verb} `{rule.verdict.text}`")
    if rule.over:
        bounds = f"at least {rule.least}" if rule.most is None else f"at most {rule.most}"
        parts[-1] = f"{bounds} {rule.over}s with `{rule.verdict.text}`"
    parts += [f"unless `{rule.unless.text}`"] if rule.unless else []
    parts += [", ".join(f"{name} = {value}" for name, value in rule.parameters.items())]
    return "; ".join(filter(None, parts)).replace("|", "\\|")


def pictures() -> dict[str, Image.Image]:
    """The sheets that the vocabulary shows."""
    return {
        f"rules_{scope}.png": sheet(each)
        for scope, each in (("segment", SEGMENTS), ("pair", PAIRS), ("image", IMAGES))
    }


if __name__ == "__main__":
    (HERE / "rules").mkdir(exist_ok=True)
    (HERE / "pictures").mkdir(exist_ok=True)
    (HERE / "rules" / "vocabulary.md").write_text(vocabulary_page(), "utf-8")
    (HERE / "rules" / "packs.md").write_text(packs_page(), "utf-8")
    for name, picture in pictures().items():
        picture.save(HERE / "pictures" / name, optimize=True)

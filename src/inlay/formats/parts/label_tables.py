"""Tables beside label maps: `samples.csv` and `segments.csv` hold what pixels cannot say."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from inlay.core.classes import Classes
from inlay.core.dataset import Sample
from inlay.core.errors import FormatError
from inlay.core.segmentation import NO_TAGS, Segmentation, Tags

SAMPLE_COLUMNS = ("sample", "image", "split", "group", "frame", "tags")
SEGMENT_COLUMNS = ("sample", "id", "class", "instance", "crowd", "score", "tags", "source_id")


@dataclass(frozen=True)
class SampleRow:
    """What `samples.csv` says of a sample; `image` is a path below the folder, or empty."""

    name: str
    image: str
    split: str
    group: str
    frame: int | None
    tags: Tags


@dataclass(frozen=True)
class SegmentRow:
    """What `segments.csv` says of a segment; `id` is its number in the label map."""

    id: int
    class_name: str
    instance: int
    crowd: bool = False
    score: float | None = None
    tags: Tags = NO_TAGS
    source_id: int | None = None


class TableWriter:
    """Both tables of a folder, written row by row; `segments.csv` only when it has one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[IO[str]] = []
        self._writers: dict[str, Any] = {}
        self._open("samples.csv", SAMPLE_COLUMNS)

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()

    def _open(self, name: str, columns: Sequence[str]) -> None:
        self._files.append((self._folder / name).open("w", encoding="utf-8", newline=""))
        self._writers[name] = csv.writer(self._files[-1])
        self._writers[name].writerow(columns)

    def sample(self, sample: Sample, image: Path | None) -> None:
        """Add a sample whose image lies at `image`."""
        tags = sample.segmentation.image_tags if sample.segmentation is not None else ()
        where = "" if image is None else image.relative_to(self._folder).as_posix()
        frame = "" if sample.frame is None else sample.frame
        row = (sample.name, where, sample.split, sample.group, frame, _words(tags))
        self._writers["samples.csv"].writerow(row)

    def segments(self, name: str, label: Segmentation, ids: Sequence[int]) -> None:
        """Add the segments of sample `name`, back to front, whose numbers in the map are `ids`."""
        if "segments.csv" not in self._writers:
            self._open("segments.csv", SEGMENT_COLUMNS)
        for row, (number, class_name) in enumerate(zip(ids, label.class_names)):
            score = "" if label.score is None else repr(float(label.score[row]))
            source = "" if label.source_id is None else int(label.source_id[row])
            facts = (
                int(label.instance_id[row]),
                int(label.crowd[row]),
                score,
                _words(label.tags[row]),
                source,
            )
            self._writers["segments.csv"].writerow((name, number, class_name, *facts))


def _words(tags: Sequence[str] | Tags) -> str:
    return json.dumps(sorted(tags), ensure_ascii=False) if tags else ""


def read_samples(path: Path) -> dict[str, SampleRow]:
    """Rows of `samples.csv` by sample name, in the order of the file.

    Raises
    ------
    FormatError
        Naming line and column of what is wrong.
    """
    rows: dict[str, SampleRow] = {}
    for line in _lines(path, SAMPLE_COLUMNS[:1]):
        name = line.text("sample")
        if not name or name in rows:
            raise line.error(
                "sample", f"{name!r} stands twice" if name else "empty: each row needs the name of a sample"
            )
        rows[name] = SampleRow(
            name,
            line.text("image"),
            line.text("split"),
            line.text("group"),
            line.maybe("frame"),
            line.words("tags"),
        )
    return rows


def read_segments(path: Path, classes: Classes) -> dict[str, list[SegmentRow]]:
    """Rows of `segments.csv` by sample name, back to front.

    Raises
    ------
    FormatError
        Naming line and column of what is wrong: a class that is not in the list, an id that stands twice.
    """
    rows: dict[str, list[SegmentRow]] = {}
    seen: set[tuple[str, int]] = set()
    known = frozenset(classes.names)
    for line in _lines(path, SEGMENT_COLUMNS[:3]):
        name, number, class_name = line.text("sample"), line.whole("id"), line.text("class")
        if (name, number) in seen:
            raise line.error("id", f"{number} stands twice in sample {name!r}")
        if class_name not in known:
            raise line.error(
                "class", f"{class_name!r} is not in the class list ({', '.join(classes.names[:12])})"
            )
        seen.add((name, number))
        instance = line.maybe("instance")
        row = SegmentRow(
            number,
            class_name,
            number if instance is None else instance,
            line.maybe("crowd") == 1,
            line.real("score"),
            line.words("tags"),
            line.maybe("source_id"),
        )
        rows.setdefault(name, []).append(row)
    return rows


def with_rows(label: Segmentation, rows: Sequence[SegmentRow]) -> Segmentation:
    """A segmentation whose masks, in the order of `rows`, get the facts of the rows.

    A score or source id counts when every row has one.
    """
    scores = [row.score for row in rows]
    sources = [row.source_id for row in rows]
    return label.replace(
        class_id=np.array([label.classes.row(row.class_name) for row in rows], np.int32),
        instance_id=np.array([row.instance for row in rows], np.int32),
        crowd=np.array([row.crowd for row in rows], np.bool_),
        tags=tuple(row.tags for row in rows),
        score=np.array(scores, np.float64) if rows and None not in scores else None,
        source_id=np.array(sources, np.int64) if rows and None not in sources else None,
    )


@dataclass(frozen=True)
class _Line:
    """One line of a table, its cells by column name."""

    path: Path
    number: int
    cells: dict[str, str]

    def error(self, column: str, what: str) -> FormatError:
        return FormatError(self.path, f"line {self.number} column {column}", what)

    def text(self, column: str) -> str:
        return self.cells.get(column, "")

    def maybe(self, column: str) -> int | None:
        return self.whole(column) if self.text(column) else None

    def whole(self, column: str) -> int:
        try:
            value = int(self.text(column))
        except ValueError:
            raise self.error(column, f"{self.text(column)!r} is not a whole number") from None
        if not -(2**31) <= value < 2**31 and column != "source_id":
            raise self.error(column, f"{value} does not fit into 32 bits")
        return value

    def real(self, column: str) -> float | None:
        try:
            return float(self.text(column)) if self.text(column) else None
        except ValueError:
            raise self.error(column, f"{self.text(column)!r} is not a number") from None

    def words(self, column: str) -> Tags:
        text = self.text(column)
        try:
            words: Any = json.loads(text) if text else []
        except (json.JSONDecodeError, RecursionError):
            words = None
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise self.error(column, f'{text!r} is not a list of words such as ["occluded", "truncated"]')
        return frozenset(words)


def _lines(path: Path, needed: Sequence[str]) -> Iterator[_Line]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.reader(file)
            header = [cell.strip() for cell in next(table, [])]
            missing = [column for column in needed if column not in header]
            if missing:
                raise FormatError(
                    path, "line 1", f"no column {missing[0]!r} among {', '.join(header) or 'nothing'}"
                )
            for cells in table:
                if len(cells) not in (0, len(header)):
                    raise FormatError(
                        path, f"line {table.line_num}", f"{len(cells)} cells; the header has {len(header)}"
                    )
                if cells:
                    yield _Line(path, table.line_num, dict(zip(header, cells)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(path, "", f"not a CSV table in UTF-8 ({error})") from None
    except OSError as error:
        raise FormatError(path, "", error.strerror or str(error)) from None

"""The engine: samples in, findings out. Columns are measured by image, rules judge many images at once."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset
from inlay.core.errors import FormatError, InlayError
from inlay.parallel import Place, map_samples
from inlay.rules.evidence import Evidence, dataset_finding, unreadable
from inlay.rules.expression import nearest
from inlay.rules.finding import Finding, Findings, Verdict
from inlay.rules.judge import judge
from inlay.rules.measure import Measured, Plan, dataset_frame, frame, measure
from inlay.rules.rule import Rule
from inlay.rules.rulefile import read_rules
from inlay.rules.tables import DatasetTable

if TYPE_CHECKING:
    import polars as pl

BATCH = 64  # images whose tables are judged together: more gains nothing, and their labels stay in memory
DEFAULT_PACKS = ("schema", "partition")
UNREADABLE = "unreadable"

Progress = Callable[[int, int, str], None]


def check(
    dataset: Dataset,
    *,
    packs: Sequence[str] = DEFAULT_PACKS,
    rules: Path | str | None = None,
    on: Place = "serial",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Findings:
    """Findings of rule packs, and of a rule file, in a dataset of labels or predictions.

    A sample that cannot be read becomes a finding of the rule "unreadable"; the others are still checked.

    Parameters
    ----------
    packs
        Names of packs; `inlay.rules.pack_names()` lists them.
    rules
        A TOML file of rules, which may extend packs and change their rules by id.
    on, workers
        Where to run; see `inlay.parallel.map_samples`.
    progress
        Called with images done, images in all, and words.

    Raises
    ------
    InlayError
        When a rule file is wrong, or names a class that the dataset lacks.
    """
    return check_rules(dataset, read_rules(packs, rules), on=on, workers=workers, progress=progress)


def check_rules(
    dataset: Dataset,
    rules: Sequence[Rule],
    *,
    on: Place = "serial",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Findings:
    """Findings of rules that have been read already."""
    require_classes(rules, dataset.classes)
    if on != "serial":
        _require_pickle(dataset, on)
    batches = [dataset.names[start : start + BATCH] for start in range(0, len(dataset), BATCH)]
    work = partial(check_batch, dataset, tuple(rules))
    found: list[Finding] = []
    verdicts, census = _nothing(rules), DatasetTable.empty(dataset.classes)
    done = 0
    for names, result in zip(batches, map_samples(work, batches, on=on, workers=workers)):
        found += result.found
        verdicts = [mine + more for mine, more in zip(verdicts, result.verdicts)]
        census = census + result.census
        done += len(names)
        if progress is not None:
            progress(done, len(dataset), f"{len(found)} findings")
    about_classes, more = _judge_classes(rules, census)
    return Findings(
        tuple(found + about_classes),
        tuple(mine + other for mine, other in zip(verdicts, more)),
        len(dataset),
        int(census.segment_count.sum()),
        dataset,
    )


@dataclass(frozen=True)
class BatchResult:
    """What came of some images; verdicts for "unreadable" first, then for each rule."""

    found: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    census: DatasetTable


def check_batch(dataset: Dataset, rules: Sequence[Rule], names: Sequence[str]) -> BatchResult:
    """Findings about single images, and the census of these images."""
    plan = Plan.of(rules)
    images: list[Measured] = []
    found: dict[int, list[Finding]] = {}
    census = DatasetTable.empty(dataset.classes)
    for place, name in enumerate(names):
        try:
            measured = measure(dataset[name], plan)
            census = census if measured.label is None else census.count(measured.label)
        except (InlayError, OSError) as error:
            measured = Measured(name, None, {}, {})
            found[place] = [unreadable(UNREADABLE, name, str(error))]
        images.append(measured)
    broken = len(found)
    verdicts, hits = _judge_images(rules, plan, images)
    for place, of_image in itertools.groupby(sorted(hits, key=_place), key=lambda hit: hit.image):
        evidence = Evidence(names[place], images[place].label)
        found[place] = [evidence.finding(rules[hit.rule], hit.row, hit.rows, hit.values) for hit in of_image]
    verdicts[0] = replace(verdicts[0], asked=len(names), found=broken)
    return BatchResult(
        tuple(each for place in sorted(found) for each in found[place]), tuple(verdicts), census
    )


@dataclass(frozen=True)
class _Hit:
    """A row that breaks a rule."""

    image: int
    rule: int
    row: int  # of the image's table
    rows: tuple[int, ...]  # segments
    values: Mapping[str, Any]


def _place(hit: _Hit) -> tuple[int, int, int]:
    return hit.image, hit.rule, hit.row


def _nothing(rules: Sequence[Rule]) -> list[Verdict]:
    return [Verdict(UNREADABLE, "error"), *(Verdict(rule.id, rule.severity) for rule in rules)]


def _judge_images(
    rules: Sequence[Rule], plan: Plan, images: Sequence[Measured]
) -> tuple[list[Verdict], list[_Hit]]:
    verdicts, hits = _nothing(rules), []
    for scope in ("segment", "pair", "image"):
        numbers = [number for number, rule in enumerate(rules) if rule.scope == scope]
        some = [place for place, image in enumerate(images) if scope in image.values]
        if not numbers or not some:
            continue
        lengths = [images[place].lengths[scope] for place in some]
        table = frame(plan.frames[scope], [images[place].values[scope] for place in some], lengths)
        ends = np.cumsum(lengths)
        for number, judged in zip(numbers, judge([rules[number] for number in numbers], table)):
            at = np.searchsorted(ends, judged.hits, side="right")
            rows = judged.hits - (ends - lengths)[at]
            where = zip([some[each] for each in at.tolist()], rows.tolist())
            own = (
                list(_hits_of(rules[number], number, table[judged.hits], images, where)) if len(rows) else []
            )
            hits += own
            verdicts[number + 1] += Verdict(
                rules[number].id, rules[number].severity, judged.asked, judged.unknown, len(own)
            )
    return verdicts, hits


def _hits_of(
    rule: Rule, number: int, table: pl.DataFrame, images: Sequence[Measured], where: Iterable[tuple[int, int]]
) -> Iterator[_Hit]:
    """The hits of one rule; of a pair found both ways round, the first."""
    seen: set[tuple[int, frozenset[int]]] = set()
    values = table.select(reference.key for reference in rule.columns).to_dicts() if rule.columns else []
    for (place, row), value in zip(where, values or itertools.repeat({})):
        rows = tuple(int(each[row]) for each in images[place].rows[rule.scope])
        key = place, frozenset(rows)
        if rule.scope == "pair" and key in seen:
            continue
        seen.add(key)
        yield _Hit(place, number, row, rows, value)


def _judge_classes(rules: Sequence[Rule], census: DatasetTable) -> tuple[list[Finding], list[Verdict]]:
    """What rules of scope "dataset" say about its classes."""
    found: list[Finding] = []
    verdicts = _nothing(rules)
    columns = Plan.of(rules).frames.get("dataset", {})
    numbers = [number for number, rule in enumerate(rules) if rule.scope == "dataset"]
    table = dataset_frame(columns, census)
    for number, judged in zip(numbers, judge([rules[number] for number in numbers], table)):
        rule = rules[number]
        found += [dataset_finding(rule, values) for values in table[judged.hits].to_dicts()]
        verdicts[number + 1] = Verdict(rule.id, rule.severity, judged.asked, judged.unknown, len(judged.hits))
    return found, verdicts


def require_classes(rules: Iterable[Rule], classes: Classes) -> None:
    """See that every class a rule names is one of the dataset, or of the rule file's own `classes`.

    Raises
    ------
    FormatError
        Naming file, rule and the nearest class.
    """
    for rule in rules:
        clauses = (rule.where, rule.verdict, rule.unless)
        words = [
            word for clause in clauses if clause for column, word in clause.words if column.name == "class"
        ]
        words += [str(each.argument) for each, column in rule.columns.items() if column.takes == "class_name"]
        known = {*classes.names, *rule.vocabulary}
        for word in words:
            if word not in known and classes.names:
                hint = nearest(word, known)
                raise FormatError(
                    rule.file, f"rule {rule.id!r}", f"the dataset has no class {word!r}; {hint}"
                )


def _require_pickle(dataset: Dataset, on: Place) -> None:
    try:
        pickle.dumps(dataset)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InlayError(
            f"this dataset cannot be sent to other processes ({error}): use on='serial', not {on!r}"
        ) from None

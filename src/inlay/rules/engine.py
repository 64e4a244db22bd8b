"""The engine: samples in, findings out. Columns are measured by image, rules judge many images at once."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset
from inlay.core.errors import FormatError, InlayError
from inlay.parallel import Place, map_samples
from inlay.rules.batch import Batches, Compiled, Predictions
from inlay.rules.cache import opened, prepare
from inlay.rules.content import late_digest
from inlay.rules.expression import nearest
from inlay.rules.finding import Finding, Findings, Verdict
from inlay.rules.gathered import Gathered
from inlay.rules.late import capped, judge_late, late_findings
from inlay.rules.measure import Plan
from inlay.rules.noise import DEFAULT, Caps, Kept, tolerated, weighed
from inlay.rules.rule import Rule
from inlay.rules.rulefile import read_rules
from inlay.rules.stack import no_verdicts
from inlay.rules.tables import DatasetTable

BATCH = 64  # images judged together, about: more gains nothing, and their labels stay in memory
DEFAULT_PACKS = ("schema", "geometry", "partition", "logic", "occlusion", "sequence", "pixels")

Progress = Callable[[int, int, str], None]


def check(
    dataset: Dataset,
    *,
    packs: Sequence[str] = DEFAULT_PACKS,
    rules: Path | str | None = None,
    predictions: Dataset | None = None,
    on: Place = "serial",
    workers: int | None = None,
    cache: Path | None = None,
    caps: Caps = DEFAULT,
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
    predictions
        What a model says of the same images, for the columns that compare the two.
    on, workers
        Where to run; see `inlay.parallel.map_samples`.
    cache
        Folder that keeps what was measured and found, by content: what has not changed is not measured again.
    caps
        How many findings are kept; all are counted.
    progress
        Called with images done, images in all, and words.

    Raises
    ------
    InlayError
        When a rule file is wrong, or names a class that the dataset lacks.
    """
    chosen = read_rules(packs, rules)
    return check_rules(
        dataset,
        chosen,
        predictions=predictions,
        on=on,
        workers=workers,
        cache=cache,
        caps=caps,
        progress=progress,
    )


def check_rules(
    dataset: Dataset,
    rules: Sequence[Rule],
    *,
    predictions: Dataset | None = None,
    on: Place = "serial",
    workers: int | None = None,
    cache: Path | None = None,
    caps: Caps = DEFAULT,
    progress: Progress | None = None,
) -> Findings:
    """Findings of rules that have been read already."""
    require_classes(rules, dataset.classes)
    paired = None if predictions is None else Predictions.of(predictions, dataset)
    if on != "serial":
        for travels in (dataset, paired):
            _require_pickle(travels, on)
    if cache is not None:
        prepare(cache)
    batches = list(batched(dataset.names))
    work = Batches(dataset, Compiled.of(rules, dataset.classes, caps), paired, cache)
    kept = Kept(caps)
    verdicts, census = no_verdicts(rules), DatasetTable.empty(dataset.classes)
    gathered: list[Gathered] = []
    done = 0
    for names, result in zip(batches, map_samples(work, batches, on=on, workers=workers)):
        kept.add(result.found)
        verdicts = [mine + more for mine, more in zip(verdicts, result.verdicts)]
        census = census + result.census
        gathered += [] if result.gathered is None else [result.gathered]
        done += len(names)
        if progress is not None:
            progress(done, len(dataset), f"{sum(each.found for each in verdicts)} findings")
    late, more = _judge_late(rules, gathered, census, dataset, caps, cache)
    kept.add(late)
    verdicts = [verdicts[0], *(more.get(number, mine) for number, mine in enumerate(verdicts[1:]))]
    found, verdicts = tolerated(weighed(kept.found, rules, census), verdicts, rules)
    return Findings(
        tuple(found),
        tuple(verdicts),
        len(dataset),
        int(census.segment_count.sum()),
        dataset,
        {rule.id: rule.max_change for rule in rules if rule.fix},
    )


def _judge_late(
    rules: Sequence[Rule],
    parts: Sequence[Gathered],
    census: DatasetTable,
    dataset: Dataset,
    caps: Caps,
    cache: Path | None,
) -> tuple[list[Finding], dict[int, Verdict]]:
    """What rules say that need the whole dataset."""
    if not any(rule.is_late for rule in rules):
        return [], {}
    keys = [reference.key for reference in Plan.of(rules).gathers]
    gathered = Gathered.concat([Gathered.nothing(dataset.classes, keys), *parts])
    hits, verdicts = judge_late(rules, gathered, census)
    kept = capped(rules, hits, caps)
    with opened(cache) as store:
        key = b"" if cache is None else late_digest(rules, gathered, caps)
        record = store.get(key)
        if record is None:
            found = late_findings(rules, kept, gathered, dataset)
            store.put(key, {"found": [finding.to_json() for finding in found]})
        else:
            found = [Finding.of_json(each) for each in record["found"]]
    return found, verdicts


def require_classes(rules: Iterable[Rule], classes: Classes) -> None:
    """See that every class a rule names is one of the dataset, or of the rule file's own `classes`.

    Raises
    ------
    FormatError
        Naming file, rule and the nearest class.
    """
    for rule in rules:
        known = {*classes.names, *rule.vocabulary}
        for word in rule.named_classes:
            if word not in known and classes.names:
                hint = nearest(word, known)
                raise FormatError(
                    rule.file, f"rule {rule.id!r}", f"the dataset has no class {word!r}; {hint}"
                )


def batched(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Names in runs of about `BATCH`, cut where a name says so: one name more moves no other run's ends."""
    start = 0
    for stop, name in enumerate(names, 1):
        cut = zlib.crc32(name.encode("utf-8", "surrogatepass")) % BATCH == 0 and stop - start >= BATCH // 2
        if cut or stop - start >= 2 * BATCH or stop == len(names):
            yield names[start:stop]
            start = stop


def _require_pickle(dataset: object, on: Place) -> None:
    try:
        pickle.dumps(dataset)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InlayError(
            f"this dataset cannot be sent to other processes ({error}): use on='serial', not {on!r}"
        ) from None

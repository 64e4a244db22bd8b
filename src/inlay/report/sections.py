"""The parts of a score report, each as markup, or empty where the score has nothing to say."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay import page
from inlay.metrics import Comparison, Score
from inlay.page import Html, text

if TYPE_CHECKING:
    from inlay.rules.finding import Finding

HEADLINES = (  # the one that tells most of each metric, then others
    *(
        "HOTA",
        "STQ",
        "mIoU",
        "mask_AP",
        "LVIS_mask_AP",
        "box_AP",
        "PQ",
        "boundary_AP",
        "boundary_IoU",
        "iIoU",
    ),
    *("count_accuracy", "HD95", "IDF1", "MOTSA", "AssA", "DetA", "Dice", "SQ", "RQ", "pixel_accuracy"),
    *("mask_AP50", "count_bias"),
)
MOST_HEADLINES = 9
MOST_CLASSES = 40  # bars; of more classes the best and the worst are shown
FEW_CLASSES = 12  # bars in one column
LONG = 24  # letters of a name that may break
WIDEST = 22  # classes of a confusion table
FEW_COMPARED = 3  # figures of each metric that stand beside those of another prediction at first sight
PREFIXES = ("mask", "box")  # figures that stand in columns of their own
MOST_SAMPLES = 500  # rows of the table of all images
NOTHING = "nothing"
KINDS = {
    "right": "found, in its class",
    "matched": "found, in its class",
    "missed": "a true segment that nothing touches",
    "confused": "found, but as another class",
    "duplicate": "found again after a surer one",
    "merged": "covers several true segments of its class",
    "split": "one of several in a true segment",
    "localisation": "overlaps a true segment, by less than half",
    "background": "where no true segment is",
    "boundary": "what found segments lack to IoU 1",
    "false": "matches no true segment",
}


def headline(score: Score) -> Html:
    """The few numbers that matter, large; the first ones of a metric that is not ours."""
    known = [name for name, value in score.figures.items() if score.knows(name, value)]
    chosen = [name for name in HEADLINES if name in known][:MOST_HEADLINES] or known[:4]
    labels: dict[str, object] = {}
    for name in chosen:
        low, high = score.intervals.get(name, (math.nan, math.nan))
        spread = "" if math.isnan(low) else f"<br>95&nbsp;%: {low:.3f} – {high:.3f}"
        unit = score.units.get(name)
        labels[Html(text(_words(name)) + (f", {text(unit)}" if unit else "") + spread)] = f"{score[name]:.3f}"
    return page.figures(labels)


def all_figures(score: Score) -> Html:
    """Every figure with its interval."""
    charts = []
    metric_of = {name: metric for metric, names in score.figures_of.items() for name in names}
    groups: dict[tuple[str, str], list[str]] = {}
    for name in score.figures:
        if name not in score.units:
            first = name.partition("_")[0]
            group = (metric_of.get(name, ""), first if first in PREFIXES else "")
            groups.setdefault(group, []).append(name)
    for (metric, _), names in groups.items():
        title = f"<h3>{text(_words(metric))}</h3>" if len(groups) > 1 else ""
        charts.append(Html(title + _bars(score, {name: _whole(_words(name), len(name)) for name in names})))
    drawn = "sequences" if score.per_sequence else "images"
    note = f"Whiskers: 95 % intervals from {score.draws} draws of the {drawn}." if score.intervals else ""
    rows = [
        (_words(name), unit, score.words(name, score.figures[name]), score.spread(name))
        for name, unit in score.units.items()
        if score.knows(name, score.figures.get(name, math.nan))
    ]
    others = page.table(rows, ("figure", "unit", "value", "95 %")) if rows else ""
    return page.section("All figures", _paragraph(note), _beside(charts), others)


def by_class(score: Score) -> str:
    """A bar for each class, best first, and a table of all its figures."""
    known, names = score.known_classes(), score.class_figures()
    if len(known) < 2:
        return ""
    main = next((name for name in names if name not in score.units), names[0])
    judged = [(name, each[main]) for name, each in known if score.knows(main, each.get(main, math.nan))]
    shown = [name for name, _ in sorted(judged, key=lambda item: -item[1])]
    half = min(-(-len(shown) // 2), MOST_CLASSES // 2) if len(shown) > FEW_CLASSES else len(shown)
    columns = [column for column in (shown[:half], shown[half:][-half:]) if column]
    charts = [
        _bars(score, {f"{main}/{name}": _swatched(score, name) for name in column}) for column in columns
    ]
    left_out = len(shown) - sum(map(len, columns))
    middle = f"; {left_out} classes in the middle are left out" if left_out else ""
    rows = [
        (name, *(_or(score, figure, each.get(figure, math.nan), math.nan) for figure in names))
        for name, each in known
    ]
    table = page.table(rows, ("class", *map(_words, names)))
    return page.section(
        "Classes",
        _paragraph(f"{_words(main)}, best first{middle}."),
        _beside(charts),
        page.fold("All figures of all classes", table),
    )


def _beside(charts: Sequence[Html]) -> Html:
    """Charts side by side; one alone may be wider."""
    if not charts:
        return Html()
    return page.grid(charts, width="31rem") if len(charts) > 1 else charts[0]


def _bars(score: Score, names: Mapping[str, Html]) -> Html:
    """Bars of figures ("mIoU", or of a class: "IoU/car"), under the given words, with their intervals."""
    values: dict[str, float] = {}
    spread: dict[str, tuple[float, float]] = {}
    for name, words in names.items():
        figure, slash, class_name = name.partition("/")
        value = score.per_class[class_name][figure] if slash else score.figures[figure]
        values[words] = _or(score, figure, value, math.nan)
        if name in score.intervals:
            spread[words] = score.intervals[name]
    return page.bars(values, spread or None)


def sequences(score: Score) -> str:
    """The figures of each video by itself, worst first."""
    if not score.per_sequence:
        return ""
    names = list(next(iter(score.per_sequence.values())))
    ordered = sorted(
        score.per_sequence.items(), key=lambda item: _or(score, names[0], item[1][names[0]], math.inf)
    )
    rows = [
        (name, *(_or(score, figure, each.get(figure, math.nan), math.nan) for figure in names))
        for name, each in ordered[:MOST_SAMPLES]
    ]
    table = page.table(rows, ("sequence", *map(_words, names)))
    return page.section("Sequences", _paragraph(f"By {_words(names[0])}, worst first."), table)


def comparison(found: Comparison) -> Html:
    """How far this prediction lies above another one, figure by figure."""
    rows = []
    for name, difference in found.difference.items():
        if "/" in name or math.isnan(difference):
            continue
        low, high = found.intervals.get(name, (math.nan, math.nan))
        spread = "" if math.isnan(low) else f"{low:+.3f} – {high:+.3f}"
        sure = (
            "certain" if found.is_certain(name) else "could be chance" if spread else "too few images to say"
        )
        first, second = (
            found.first.words(name, found.first[name]),
            found.second.words(name, found.second[name]),
        )
        rows.append((_words(name), second, first, f"{difference:+.4f}", spread, sure))
    note = (
        "Both are scored on the same images, which are drawn together: a difference is certain where its "
        "95 % interval leaves out 0."
    )
    header = ("figure", "this one", "the other", "difference", "95 %", "")
    main = {_words(name) for names in found.second.figures_of.values() for name in names[:FEW_COMPARED]}
    shown = page.table([row for row in rows if row[0] in main], header)
    return page.section(
        "Against the other prediction",
        _paragraph(note),
        shown,
        page.fold("All figures of both", page.table(rows, header)),
    )


def errors(score: Score) -> str:
    """How many segments of which kind of error, and what each kind costs."""
    parts = []
    for metric, kinds in score.errors.items():
        wording: dict[str, object] = {
            Html(f"{text(kind)}<br>{text(KINDS.get(kind, ''))}"): number for kind, number in kinds.items()
        }
        title = f"<h3>{text(metric.replace('_', ' '))}</h3>" if len(score.errors) > 1 else ""
        note = ""
        if score.threshold is not None and score.curves and "panoptic" not in metric:
            note = _paragraph(
                f"Of predictions with a score of at least {score.threshold:.3g}, where false and missed "
                "segments balance best (F1 at IoU 0.5)."
            )
        parts.append(title + note + page.figures(wording) + _loss(score.loss.get(metric, {})))
    return page.section("Kinds of error", *parts) if parts else ""


def _loss(shares: Mapping[str, float]) -> Html:
    """What each kind of error costs, as bars; they sum to the loss."""
    total = sum(shares.values())
    if not total > 0:
        return Html()
    bars: dict[str, float] = {
        Html(f'{text(kind)}<br><small style="white-space:nowrap">{text(KINDS.get(kind, ""))}</small>'): share
        for kind, share in sorted(shares.items(), key=lambda item: -item[1])
        if share > 0
    }
    words = (
        f"{total:.3f} is lost to a perfect score (1 - PQ, mean of the classes): the bars sum to it. "
        "A found segment loses 1 - IoU, a missed or a false one one half."
    )
    return Html(_paragraph(words) + page.bars(bars, top=max(bars.values())))


def confusion(score: Score) -> str:
    """Each table of true by predicted class as a heat map, and the pairs most often confused."""
    parts = []
    for unit, table in score.confusion.items():
        names = [*score.classes.names, NOTHING]
        shown = _telling_classes(table)
        rows = [row for row in shown if row < len(table)]
        smaller = table[np.ix_(rows, shown)]
        if len(score.classes) < 2 or not smaller.sum():
            continue
        heat = page.heatmap(
            smaller,
            [names[row] for row in rows],
            columns=[names[column] for column in shown],
            caption=f"Of the {unit} of each true class (row), per cent predicted as each class (column).",
        )
        parts += [heat, _most_confused(table, names, unit)]
    return page.section("Confusion", *parts) if parts else ""


def curves(score: Score) -> str:
    """Precision over recall."""
    if not score.curves:
        return ""
    return page.section(
        "Precision over recall",
        page.curve(score.curves, x="recall", y="precision", unit=True),
        _paragraph("Mean of the classes, at each IoU that a match must have."),
    )


def samples(score: Score) -> str:
    """How the figure spreads over the images, and a table of all of them."""
    names = list(score.per_sample)
    ranked = score.ranked()
    if len(ranked) < 2:
        return ""
    points = [(place / (len(ranked) - 1), value) for place, (_, value) in enumerate(ranked)]
    place_of = {name: place for place, name in enumerate(score.samples)}
    rows = [
        (name, *(_or(score, f, float(score.per_sample[f][place_of[name]]), math.nan) for f in names))
        for name, _ in ranked[:MOST_SAMPLES]
    ]
    title = f"All {len(ranked)} images" if len(ranked) <= MOST_SAMPLES else f"The worst {MOST_SAMPLES} images"
    return page.section(
        "Images",
        page.curve(
            {_words(names[0]): points}, x="share of the images, worst first", y=_words(names[0]), unit=True
        ),
        page.fold(title, page.table(rows, ("image", *map(_words, names)))),
    )


def findings(found: Sequence[Finding]) -> str:
    """What the rules found in the labels, by rule."""
    if not found:
        return page.section("Findings in the labels", _paragraph("The rules found nothing."))
    first = {finding.rule: finding for finding in reversed(found)}
    counts = Counter(finding.rule for finding in found)
    images = {rule: len({finding.image for finding in found if finding.rule == rule}) for rule in counts}
    rows = [
        (
            rule,
            first[rule].severity,
            number,
            images[rule],
            first[rule].image or "the dataset",
            first[rule].message,
        )
        for rule, number in counts.most_common()
    ]
    header = ("rule", "severity", "findings", "images", "for example", "which says")
    severities = Counter(finding.severity for finding in found)
    numbers = {name: severities[name] for name in ("error", "warning", "info") if severities[name]}
    return page.section("Findings in the labels", page.figures(numbers), page.table(rows, header))


def remarks(score: Score) -> str:
    """What to know when reading the figures."""
    if not score.remarks:
        return ""
    lines = "".join(f"<li>{text(remark)}</li>" for remark in score.remarks)
    return page.section("Remarks", Html(f"<ul>{lines}</ul>"))


def _telling_classes(table: NDArray[np.int64]) -> list[int]:
    """Columns to show: classes that occur, those with the most mistakes if there are many, then nothing."""
    last = table.shape[1] - 1
    square = np.zeros((last + 1, last + 1), np.int64)
    square[: len(table)] = table
    involved = square.sum(axis=0) + square.sum(axis=1)
    wrong = involved - 2 * np.diag(square)
    occurring = np.flatnonzero(involved[:last])
    chosen = np.sort(occurring[np.argsort(-wrong[occurring], kind="stable")[:WIDEST]])
    return [*chosen.tolist(), *([last] if involved[last] else [])]


def _most_confused(table: NDArray[np.int64], names: Sequence[str], unit: str) -> Html:
    of_row = table.sum(axis=1)
    wrong = table.copy()
    np.fill_diagonal(wrong, 0)
    places = np.argsort(-wrong, axis=None, kind="stable")[:10]
    pairs = [(int(place) // table.shape[1], int(place) % table.shape[1]) for place in places]
    rows = [
        (names[row], names[column], int(wrong[row, column]), f"{100 * wrong[row, column] / of_row[row]:.1f}%")
        for row, column in pairs
        if wrong[row, column]
    ]
    if not rows:
        return Html()
    return page.fold("Most often confused", page.table(rows, ("truth", "predicted as", unit, "of the truth")))


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number of things in words: "1 image", "2 images"."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _swatched(score: Score, name: str) -> Html:
    colour = score.classes.colours[score.classes.row(name)]
    return _whole(Html(f'<span class="chip">{page.swatch(colour)}{text(name)}</span>'), len(name))


def _whole(words: str, length: int) -> Html:
    """Words kept in one line unless they are long."""
    return Html(f'<span style="white-space:nowrap">{text(words)}</span>') if length <= LONG else text(words)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _paragraph(words: str) -> Html:
    return Html(f"<p>{text(words)}</p>")


def _or(score: Score, figure: str, value: float, otherwise: float) -> float:
    return value if score.knows(figure, value) else otherwise

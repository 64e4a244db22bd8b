from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import inlay
from inlay import Classes, Dataset, InlayError, Masks, Sample, Segmentation, SegmentClass
from inlay.metrics import compare, score
from inlay.report import write_report
from inlay.report.examples import CONFUSED, FALSE, MISSED, _difference
from inlay.rules.finding import Finding

STREET = Classes(
    (SegmentClass("road", "stuff"), SegmentClass("car & <b>van</b>"), SegmentClass("rig", "void"))
)
LIMIT = 3_000_000


class Reader(HTMLParser):
    """Tags that are open at the end, addresses that the page would load, and its plain words."""

    VOID = frozenset({"meta", "link", "img", "br", "rect", "line", "circle", "path", "polyline"})

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.pictures = 0
        self.words = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [
            value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")
        ]
        self.pictures += tag == "img"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def photograph(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    return rng.integers(0, 255, (*size, 3), np.uint8)


def street(count: int, *, size: tuple[int, int] = (40, 60), seed: int = 0, images: bool = True) -> Dataset:
    rng = np.random.default_rng(seed)
    pixels = np.random.default_rng(99)

    def label() -> Segmentation:
        ids = rng.integers(0, 3, (4, 6)).repeat(size[0] // 4, axis=0).repeat(size[1] // 6, axis=1)
        return Segmentation.from_semantic(ids, STREET)

    samples = [
        Sample(f"drive/{i}", photograph(pixels, size) if images else None, label()) for i in range(count)
    ]
    return Dataset.of(samples, STREET)


def cells(count: int, *, prediction: bool) -> Dataset:
    classes = Classes.of("cell", "dirt")
    rng = np.random.default_rng(7)

    def segments() -> Segmentation:
        ids = np.random.default_rng(rng.integers(1 << 30)).integers(-1, 5, (4, 4)).repeat(9, 0).repeat(9, 1)
        masks = Masks.from_ids(np.roll(ids, int(prediction), axis=0), 5)
        sure = np.linspace(0.2, 0.9, 5) if prediction else None
        return Segmentation(classes, masks, [0, 0, 1, 0, 1], range(1, 6), score=sure)

    return Dataset.of([Sample(str(i), None, segments()) for i in range(count)], classes)


def finding(image: str, rule: str = "gap") -> Finding:
    return Finding(rule, "error", image, (), (), None, None, None, None, f"{image} has a <gap>", None, "0")


def read(path: Path) -> Reader:
    reader = Reader(path.read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


def test_the_page_is_whole_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    truth, prediction = street(6), street(6, seed=1)
    path = write_report(score(truth, prediction), truth, prediction, tmp_path / "deep" / "report.html")
    page = read(path)
    assert all(address.startswith("data:") for address in page.addresses)
    assert not re.search(r"@import|url\((?!data:)|https?://", path.read_text(encoding="utf-8"))
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]


def test_figures_classes_confusion_and_remarks_are_shown(tmp_path: Path) -> None:
    truth, prediction = street(6), street(6, seed=1).only([f"drive/{i}" for i in range(5)])
    result = score(truth, prediction, ["iou", "panoptic_quality"])
    words = read(write_report(result, truth, prediction, tmp_path / "r.html", title="Friday")).words
    assert "Friday" in words
    assert f"{result['mIoU']:.3f}" in words
    assert "{:.3f} – {:.3f}".format(*result.intervals["mIoU"]) in words
    assert f"{result.per_class['road']['IoU']:.3f}" in words
    assert "samples without a prediction, which count as predicted empty: 1 (drive/5)" in words
    for heading in (
        "All figures",
        "Classes",
        "Kinds of error",
        "Confusion",
        "Worst images",
        "Best images",
        "Images",
    ):
        assert heading in words


def test_names_from_the_data_are_escaped(tmp_path: Path) -> None:
    truth, prediction = street(6), street(6, seed=1)
    path = write_report(
        score(truth, prediction), truth, prediction, tmp_path / "r.html", findings=[finding("drive/1")]
    )
    assert "<b>van</b>" not in path.read_text(encoding="utf-8")
    assert "<gap>" not in path.read_text(encoding="utf-8")
    assert "car & <b>van</b>" in read(path).words


def test_four_pictures_of_each_example_the_worst_first(tmp_path: Path) -> None:
    truth, prediction = street(20), street(20, seed=1)
    result = score(truth, prediction, intervals=False)
    page = read(write_report(result, truth, prediction, tmp_path / "r.html"))
    assert page.pictures == 4 * 12
    worst, best = result.ranked()[0][0], result.ranked()[-1][0]
    assert page.words.index("Worst images") < page.words.index(worst) < page.words.index("Best images")
    assert page.words.index("Best images") < page.words.index(best, page.words.index("Best images"))


def test_one_image_is_enough(tmp_path: Path) -> None:
    truth, prediction = street(1), street(1, seed=1)
    page = read(write_report(score(truth, prediction), truth, prediction, tmp_path / "r.html"))
    assert page.pictures == 4
    assert "1 image," in page.words


def test_labels_without_images_are_drawn_on_paper(tmp_path: Path) -> None:
    truth, prediction = street(3, images=False), street(3, seed=1, images=False)
    page = read(write_report(score(truth, prediction), truth, prediction, tmp_path / "r.html"))
    assert page.pictures == 4 * 3
    assert "image: not at hand" in page.words


def test_the_page_stays_small_with_large_noisy_images(tmp_path: Path) -> None:
    truth, prediction = street(14, size=(800, 1200)), street(14, size=(800, 1200), seed=1)
    path = write_report(score(truth, prediction), truth, prediction, tmp_path / "r.html")
    assert path.stat().st_size < LIMIT
    assert read(path).pictures >= 4


def test_a_detector_gets_curves_and_kinds_of_error(tmp_path: Path) -> None:
    truth, prediction = cells(8, prediction=False), cells(8, prediction=True)
    result = score(truth, prediction, ["average_precision"])
    words = read(write_report(result, truth, prediction, tmp_path / "r.html")).words
    assert "Precision over recall" in words
    assert "found again after a surer one" in words
    assert f"{result.errors['average_precision']['missed']}missed" in words


def test_only_predictions_that_count_as_found_are_drawn(tmp_path: Path) -> None:
    truth, prediction = cells(8, prediction=False), cells(8, prediction=True)
    result = score(truth, prediction, ["average_precision"], intervals=False)
    words = read(write_report(replace(result, threshold=0.5), truth, prediction, tmp_path / "r.html")).words
    scores = prediction["0"].label().score
    assert (scores >= 0.5).sum() == 3
    assert "prediction: 3 segments" in words
    assert "prediction: 5 segments" not in words


def test_findings_stand_by_rule_and_beside_the_images_they_are_about(tmp_path: Path) -> None:
    truth, prediction = street(3), street(3, seed=1)
    found = [finding("drive/1"), finding("drive/1"), finding("drive/2", rule="overlap")]
    words = read(
        write_report(score(truth, prediction), truth, prediction, tmp_path / "r.html", findings=found)
    ).words
    assert "Findings in the labels" in words
    assert "overlap" in words
    assert "2 findings in its label" in words
    assert "1 finding in its label" in words
    nothing = write_report(score(truth, prediction), truth, prediction, tmp_path / "r.html", findings=[])
    assert "The rules found nothing." in read(nothing).words


def test_the_difference_tells_missed_false_and_wrong_pixels_apart() -> None:
    truth = Segmentation.from_semantic(np.array([[0, 0, 1, 2, -1]]).repeat(4, axis=0), STREET)
    mine = Segmentation.from_semantic(np.array([[0, 1, -1, 0, 1]]).repeat(4, axis=0), STREET)
    shown = _difference(None, truth, mine, (4, 5), stuff=True)[0].astype(int)
    right, wrong, missed, void, unknown = shown
    assert np.ptp(right) == np.ptp(void) == np.ptp(unknown) == 0  # grey: right, or not judged
    for pixel, colour in ((wrong, CONFUSED), (missed, MISSED)):
        assert np.abs(pixel - np.array(colour)).max() < 60
    cells_only = Classes.of("cell")
    nothing = Segmentation.empty(cells_only, (2, 2))
    false = Segmentation.from_semantic(np.zeros((2, 2), int), cells_only)
    shown = _difference(None, nothing, false, (2, 2), stuff=False)[0, 0].astype(int)
    assert np.abs(shown - np.array(FALSE)).max() < 60


def test_where_things_alone_are_judged_missing_stuff_is_no_difference() -> None:
    road = Segmentation.from_semantic(np.zeros((2, 2), int), STREET)
    nothing = Segmentation.empty(STREET, (2, 2))
    assert np.ptp(_difference(None, road, nothing, (2, 2), stuff=False)[0, 0]) == 0
    assert np.ptp(_difference(None, road, nothing, (2, 2), stuff=True)[0, 0]) > 0


def test_a_path_scores_as_the_dataset_in_it(tmp_path: Path) -> None:
    pytest.importorskip("inlay.formats.label_png")
    truth, prediction = street(3), street(3, seed=1)
    inlay.write(truth, tmp_path / "truth", to="label_png", lossy=True)
    inlay.write(prediction, tmp_path / "prediction", to="label_png", lossy=True)
    from_files = inlay.score(tmp_path / "truth", str(tmp_path / "prediction"), ["iou"])
    assert from_files.figures == score(truth, prediction, ["iou"]).figures
    with pytest.raises(InlayError, match="no such file"):
        inlay.score(tmp_path / "nowhere", prediction)


def test_videos_and_another_prediction_have_sections_of_their_own(tmp_path: Path) -> None:
    classes = Classes.of("car")

    def video(seed: int) -> Dataset:
        rng = np.random.default_rng(seed)
        samples = []
        for v in range(5):
            for t in range(3):
                ids = np.full((12, 24), -1)
                ids[2:8, t + rng.integers(0, 2) : t + 8], ids[2:8, 14:20] = 0, 1
                label = Segmentation(classes, Masks.from_ids(ids, 2), [0, 0], [4, 9])
                samples.append(Sample(f"v{v}/{t}", None, label, group=f"v{v}", frame=t))
        return Dataset.of(samples, classes)

    truth, one, other = video(0), video(1), video(2)
    comparison = compare(truth, other, one)
    assert "tracking" in comparison.second.metrics
    path = write_report(comparison.second, truth, one, tmp_path / "r.html", comparison=comparison)
    words = read(path).words
    assert "Sequences" in words
    assert "Against the other prediction" in words
    assert f"{comparison.difference['HOTA']:+.4f}" in words
    for name in ("v0", "v4", "id switches", "STQ" if "STQ" in comparison.second else "HOTA"):
        assert name in words


def test_what_each_kind_of_error_costs_stands_beside_its_number(tmp_path: Path) -> None:
    truth, prediction = cells(8, prediction=False), cells(8, prediction=True)
    result = score(truth, prediction, ["average_precision"])
    words = read(write_report(result, truth, prediction, tmp_path / "r.html")).words
    lost = sum(result.loss["average_precision"].values())
    assert f"{lost:.3f} is lost to a perfect score" in words
    largest = max(result.loss["average_precision"].values())
    assert f"{largest:.3f}" in words

"""Which of the same injected errors do other tools find? labellint, Datumaro's validator, cleanlab, and ours.

    python -m venv peers && peers/bin/pip install labellint datumaro cleanlab # apart: older libraries
    python benchmarks/label_error_cleanlab.py --data ../shared/data           # networks that cleanlab needs
    python benchmarks/label_error_peers.py --python peers/bin/python --data ../shared/data

labellint and Datumaro get the same COCO files, before and after one kind of error was put into some of the
images. An error is found when the tool says something of its image (or of the data set, where it names no
image) more often than before: more generous than the count for `inlay check`, whose findings must touch the
error. So must the spots of pixels of cleanlab, which sees maps of classes (`label_error_cleanlab.py`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import inlay
from inlay.core.dataset import Sample
from label_error_cleanlab import LARGE, Answers, ask, has_network, judged
from label_errors import KINDS, LOW, SHARE, Base, Count, Kind, asked, bases, trial, wilson
from mistakes.canvas import Spoilt

Errors = tuple[list[Sample], dict[int, Spoilt]]  # samples with errors; these, by the place of their image
TOOLS = ("inlay check", "labellint", "datumaro", "cleanlab")

NOT_IN_COCO = ("20a", "20b", "21a", "21b", "22", "26a", "26b")  # order, tags, full extents, instance numbers
CLEAN: dict[tuple[str, str], Counter[tuple[str, str]]] = {}  # what a tool says of the clean labels of a base
PEER = """
import json, re, sys
tool, path = sys.argv[1:]
found = []
if tool == "labellint":
    from pathlib import Path
    from labellint.core import run_scan
    of = {each["id"]: each["image_id"] for each in json.load(open(path))["annotations"]}
    for rule, lines in run_scan(Path(path))["findings"].items():
        for line in lines:
            image = re.search(r"[Ii]mage.*?[(]ID ([0-9]+)[)]", line)
            mask = re.search(r"Annotation [(]ID ([0-9]+)[)]", line)
            found.append([rule, str(image[1] if image else of.get(int(mask[1]), "") if mask else "")])
else:
    import datumaro
    from datumaro.plugins.validators import SegmentationValidator
    dataset = datumaro.Dataset.import_from(path, "coco_instances")
    limits = {"few_samples_thr": 1, "imbalance_ratio_thr": 50, "far_from_mean_thr": 5.0}
    validator = SegmentationValidator(**limits, dominance_ratio_thr=0.8, topk_bins=0.1)
    for each in validator.generate_reports(validator.compute_statistics(dataset)):
        found.append([each.to_dict()["anomaly_type"], each.to_dict().get("item_id") or ""])
print(json.dumps(found))
"""


def write_coco(samples: Sequence[Sample], path: Path) -> None:
    """A plain COCO file, without a key that a strict reader does not know."""
    classes = samples[0].label().classes
    images, annotations = [], []
    for number, sample in enumerate(samples, 1):
        label = sample.label()
        height, width = label.size
        images.append({"id": number, "file_name": f"{number}.jpg", "height": height, "width": width})
        for row, counts in enumerate(label.masks.to_strings()):
            x0, y0, x1, y1 = label.masks.box()[row].tolist()
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": int(label.class_id[row]) + 1,
                    "segmentation": {"size": [height, width], "counts": counts.decode()},
                    "area": int(label.masks.area()[row]),
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "iscrowd": int(label.crowd[row]),
                }
            )
    categories = [{"id": row, "name": name} for row, name in enumerate(classes.names, 1)]
    for folder in (path.parent, path.parent.parent / "images"):  # Datumaro wants one of images, be it empty
        folder.mkdir(parents=True, exist_ok=True)
    whole = {"info": {}, "licenses": [], "images": images, "annotations": annotations}
    path.write_text(json.dumps(whole | {"categories": categories}), "utf-8")


def said(python: Path, tool: str, path: Path) -> Counter[tuple[str, str]]:
    """What a tool says of a file: (kind of finding, image or '') and how often."""
    ran = subprocess.run(
        [str(python), "-c", PEER, tool, str(path)], capture_output=True, text=True, check=False, timeout=300
    )
    if ran.returncode:
        raise SystemExit(f"{tool} stopped: {ran.stderr.strip().splitlines()[-1]}")
    return Counter((kind, image) for kind, image in json.loads(ran.stdout.splitlines()[-1]))


def spoilt(base: Base, kind: Kind, seed: int) -> Errors:
    """The samples with the very errors that `trial` puts in, and the errors by place of their image."""
    random = np.random.default_rng([seed, zlib.crc32(kind.name.encode()), zlib.crc32(base.name.encode())])
    samples, wrong = list(base.samples), {}
    for place in random.permutation(len(samples))[: max(1, round(SHARE * len(samples)))].tolist():
        found = kind.inject(samples[place], random)
        if found is not None:
            samples[place], wrong[place] = found.sample, found
    return samples, wrong


def file_recall(
    python: Path,
    tool: str,
    base: Base,
    kind: Kind,
    errors: tuple[list[Sample], dict[int, Spoilt]],
    folder: Path,
) -> Count:
    """How many of the errors a tool that reads COCO files says something new about."""
    samples, wrong = errors
    if not wrong or kind.number in NOT_IN_COCO:
        return Count()
    clean, path = (folder / each / "annotations" / "instances_all.json" for each in (base.name, "spoilt"))
    if not clean.exists():
        write_coco(base.samples, clean)
    write_coco(samples, path)
    if (tool, base.name) not in CLEAN:
        CLEAN[tool, base.name] = said(python, tool, clean)
    new = said(python, tool, path) - CLEAN[tool, base.name]
    whole = sum(many for (_, image), many in new.items() if not image)
    caught = sum(any(image == str(place + 1) for _, image in new) for place in wrong)
    return Count(len(wrong), max(caught, min(whole, len(wrong))), sum(new.values()))


def compared(
    options: argparse.Namespace, base: Base, folder: Path
) -> tuple[dict[tuple[str, str], Count], Answers | None]:
    """What each tool finds of each kind of error in one domain; cleanlab's answers."""
    tools, seed = options.tools.split(","), 1000 * (options.part == "test")
    kinds = [each for each in KINDS if asked(each, base, set()) and not (each.file or each.style)]
    errors = {kind.number: spoilt(base, kind, seed) for kind in kinds}
    clean = (
        None if TOOLS[0] not in tools else inlay.check(base.dataset, packs=base.packs, cache=folder / "cache")
    )
    answers, found = None, {}
    if "cleanlab" in tools and has_network(base):
        answers = ask(options.python, base, {kind: samples for kind, (samples, _) in errors.items()}, folder)
    for kind in kinds:
        for tool in tools:
            if clean is not None and tool == TOOLS[0]:
                count = trial(base, kind, clean, seed, folder / "cache")
            elif tool != "cleanlab":
                count = file_recall(options.python, tool, base, kind, errors[kind.number], folder)
            elif answers is not None:
                count = judged(answers, kind.number, errors[kind.number][1], base)
            else:
                count = Count()
            found[kind.number, tool] = count
    return found, answers


def low(found: Mapping[tuple[str, str], Count], tool: str) -> Count:
    """What a tool found of tiers G, P and L, as far as COCO can hold them."""
    shared = [kind.number for kind in KINDS if kind.tier in LOW and kind.number not in NOT_IN_COCO]
    return sum((found.get((number, tool), Count()) for number in shared), Count())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", type=Path, required=True, help="an interpreter that has the tools")
    parser.add_argument("--part", choices=("dev", "test"), default="dev")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--bases", default="street,cells,parts,camvid,nuclei,coco")
    parser.add_argument("--tools", default=",".join(TOOLS))
    options = parser.parse_args()
    tools = options.tools.split(",")
    total: dict[tuple[str, str], Count] = {}
    domains, said_clean = [], []
    with TemporaryDirectory() as name:
        for base in bases(options.part, options.data, options.images):
            if base.name not in options.bases.split(",") or base.frames > 1:
                continue
            found, answers = compared(options, base, Path(name))
            total = {key: total.get(key, Count()) + count for key, count in found.items()} | {
                key: count for key, count in total.items() if key not in found
            }
            domains.append(f"| {base.name} | {' | '.join(words(low(found, tool)) for tool in tools)} |")
            said_clean += [answers.row(base.name)] if answers else []
            print(domains[-1], *said_clean[-1:], flush=True)
    print(f"| # | error | tier | {' | '.join(tools)} |\n|---|---|---|{'---|' * len(tools)}")
    for kind in KINDS:
        counts = [total.get((kind.number, tool), Count()) for tool in tools]
        if counts[0].tried:
            print(f"| {kind.number} | {kind.name} | {kind.tier} | {' | '.join(map(words, counts))} |")
    shown = " | ".join(words(low(total, tool)) for tool in tools)
    print(f"| | of tiers G, P, L, all that COCO can hold | | {shown} |")
    print(f"\n| tiers G, P, L in | {' | '.join(tools)} |\n|---|{'---|' * len(tools)}", *domains, sep="\n")
    print(
        "\n| clean labels | class is the likeliest | pixels flagged | spots an image "
        f"| of {LARGE} pixels or more |\n|---|---|---|---|---|",
        *said_clean,
        sep="\n",
    )


def words(count: Count) -> str:
    """A share and its interval."""
    if not count.tried:
        return ""
    low, high = wilson(count.caught, count.tried)
    return f"{count.caught} of {count.tried} ({low:.0%}–{high:.0%})"


if __name__ == "__main__":
    main()

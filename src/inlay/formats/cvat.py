"""CVAT for images 1.1: one XML file of polygons, masks, ellipses and boxes, and a folder of images.

Masks are run lengths along the rows of their box. `z_order` is the order of the stack, `occluded` a tag as
are the attributes, and shapes of one label and one `group_id` are one segment. Polygons are filled as CVAT
makes masks of them, by pycocotools' rule. Upright boxes have no pixels, turned ones are filled; tags of the
image are kept; lines, points, skeletons and cuboids have no area and are left out, counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import image_size
from inlay.core.segmentation import Segmentation
from inlay.formats.parts import cvat_xml
from inlay.formats.parts.coco_layout import ImageFinder, unique_names
from inlay.formats.parts.cvat_xml import AREAS, NO_AREAS, files_of
from inlay.formats.parts.drawing import Drawing, group_numbers, is_bare_box, outlines
from inlay.formats.parts.extras import KEPT, ExtraWriter, read_extras
from inlay.formats.parts.places import refuse_nothing, size_of, store_image
from inlay.formats.parts.safe_xml import legal, write_xml

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap", "order"),
    *("crowd", "tags", "box"),
}
READERS = cvat_xml.READERS


def sniff(path: Path) -> bool:
    """Whether it is an XML file of CVAT with images, or a folder with one."""
    return bool(files_of(path, track=False))


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The images of a file, or of all files of a folder.

    Parameters
    ----------
    reader
        Tool whose way of filling polygons is meant; default CVAT's own.
    """
    root = path.parent if path.is_file() else path
    files = files_of(path, track=False)
    if not files:
        raise FormatError(path, "", "no CVAT file with <annotations> and <image> in it")
    extras = read_extras(root)
    classes = extras.classes_with(Classes(()))
    nodes: list[tuple[Path, Element]] = []
    left_out: Counter[str] = Counter()
    for file in files:
        top = cvat_xml.read_root(file)
        classes = classes.merge(cvat_xml.classes_of(top, file))
        nodes += [(file, node) for node in top.findall("image")]
    names = [node.get("name", "") for _, node in nodes]
    keys = unique_names(names, [None] * len(names), files[0])
    left_out.update(shape.tag for _, node in nodes for shape in node if shape.tag in NO_AREAS)
    splits = {key: node.get("subset", "") for key, (_, node) in zip(keys, nodes)}
    folders = [root / "images", *(root / "images" / split for split in {*splits.values()} - {""}), root]
    load = _Images(dict(zip(keys, nodes)), ImageFinder(folders), classes, reader or READERS[0])
    return extras.dataset(keys, classes, load, root, splits=splits, left_out=left_out)


@dataclass(frozen=True, eq=False)
class _Images:
    """The elements of images by key; calling it with one makes its segments."""

    nodes: Mapping[str, tuple[Path, Element]]
    find: ImageFinder
    classes: Classes
    reader: str

    def __call__(self, key: str) -> Sample:
        path, node = self.nodes[key]
        where = f"image {node.get('name', '')!r}"
        image = self.find(node.get("name", ""))
        sides = [cvat_xml.whole(node, side, path, where, 0) for side in ("height", "width")]
        size = (sides[0], sides[1])
        if not all(size):
            if image is None:
                raise FormatError(path, where, "has neither height and width nor an image file")
            size = image_size(image)
        drawing = Drawing(self.classes, size, path, self.reader)
        return Sample(key, image, _segmentation(drawing, node, where), node.get("subset", ""))


def _segmentation(drawing: Drawing, node: Element, where: str) -> Segmentation:
    rows: dict[tuple[str, int], int] = {}
    shapes = [(shape, i) for i, shape in enumerate(node) if shape.tag in AREAS]
    for shape, i in cvat_xml.in_stack_order(shapes):
        place = f"{where} shape {i + 1}"
        group = cvat_xml.whole(shape, "group_id", drawing.path, place, 0)
        name = shape.get("label", "")
        row = rows.get((name, group)) if group else None
        if row is None:
            about = cvat_xml.row_of(shape, name, group or None, drawing.path, place)
            row = rows[name, group] = drawing.row(about, place)
        cvat_xml.draw(drawing, row, shape, place)
    words = frozenset(tag.get("label", "") for tag in node.findall("tag")) - {""}
    return drawing.segmentation(image_tags=words)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:
    """Write `annotations.xml` and `images/`; masks where a polygon does not hold a segment exactly."""
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    words: set[str] = set()
    extras = ExtraWriter(dataset, "cvat")
    nodes: list[Element] = []
    for number, sample in enumerate(dataset):
        refuse_nothing(sample)
        image = store_image(sample, path / "images")
        name = image.relative_to(path / "images").as_posix() if image else f"{sample.name}.png"
        node = Element("image", {"id": str(number), "name": legal(name)})
        if sample.split:
            node.set("subset", legal(sample.split))
        label = sample.segmentation or Segmentation.empty(dataset.classes, size_of(sample))
        node.set("width", str(label.size[1]))
        node.set("height", str(label.size[0]))
        words |= _add(node, label, reader or READERS[0])
        nodes.append(node)
        key = name.removesuffix(Path(name).suffix)
        extras.add(sample, Sample(key, None, label, sample.split))
    cvat_xml.write_meta(root, dataset, "annotation", sorted(words), name="Inlay", size=str(len(nodes)))
    root.extend(nodes)
    write_xml(root, path / "annotations.xml")
    extras.write(path)


def _add(node: Element, label: Segmentation, reader: str) -> set[str]:
    """Add the shapes of an image; the words of its attributes."""
    rings, groups = outlines(label.masks, reader), group_numbers(label)
    words: set[str] = set()
    for row in cvat_xml.shown(label, is_bare_box(label)):
        more = {"label": legal(label.class_names[row])}
        more |= {} if groups[row] is None else {"group_id": str(groups[row])}
        cvat_xml.add_shape(node, label, row, rings[row], more)
        words |= set(cvat_xml.words_on(label.tags[row], crowd=bool(label.crowd[row])))
    for word in sorted(label.image_tags):
        SubElement(node, "tag", {"label": legal(word), "source": "manual"})
    return words

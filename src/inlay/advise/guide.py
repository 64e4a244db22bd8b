"""A guide for labellers in Markdown, from the advice and the project's classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inlay.advise.choose import Advice, Answers
    from inlay.core.classes import Classes

DRAWING = {
    "semantic": "Paint each pixel with its class. Objects of one class may run together.",
    "instance": "Draw each object as a segment of its own, also where it touches others of its class.",
    "panoptic": "Give each pixel to one segment: each object its own, each kind of background one. Leave "
    "no gap.",
    "boxes": "Draw the smallest box around what you see of each object. No outlines.",
    "boxes + semantic": "Draw a box around each object, and paint the classes of the background once as "
    "areas.",
    "boxes + some masks": "Draw a box around each object; outline only the objects that are marked for it.",
    "amodal": "Draw each object in full, also where it is hidden, back to front: the order says what "
    "covers what.",
}


CLASSES = {
    "thing": "each one is an object of its own. What it is, what it is not, one good and one bad example",
    "stuff": "one area, not counted. What it is, what it is not, where it ends",
    "void": "what nobody can tell or nobody needs; it is not judged",
}

ORDER = (
    "Order the segments back to front. An object is *occluded* when another one covers a part of it; the "
    "studio sets the tag from the order."
)

HIDDEN = {
    "boxes": "The box holds what you see of the object, not what you guess behind others. Where an object is "
    "seen in two pieces, one box holds both.",
    "amodal": f"{ORDER} Draw the hidden part as you know such objects to be; where you do not know, draw the "
    "smallest plausible shape.",
    "seen": f"{ORDER} Do not draw hidden parts.",
}

BOXES = (
    "## Edges",
    "Each side of the box touches the outermost pixel of the object, within two pixels. Shadows, mirror "
    "images and what the object carries loosely are outside.",
)


def _edges(answers: Answers) -> tuple[str, str]:
    fine = " At hair, fur and glass follow the outline of what is more than half opaque."
    return (
        "## Edges",
        "Draw the front object first and let the one behind run underneath: the edge between two segments "
        "exists once and belongs to both. Zoom in until you see single pixels where two segments meet, and "
        "follow the middle of a blurred edge, everywhere alike. An edge that you cannot see is drawn where "
        "it must be, straight on." + (fine if answers.fine_edge else ""),
    )


def guide(advice: Advice, classes: Classes, answers: Answers, *, smallest: int = 16) -> str:
    """The guide.

    Parameters
    ----------
    advice, answers
        What `choose` said, and to which answers.
    classes
        Of the project; each gets a line to fill in with what it is and is not.
    smallest
        Objects of fewer visible pixels are left out.
    """
    amodal, boxes = advice.label_type == "amodal", advice.label_type == "boxes"
    parts = [
        f"# Label guide: {advice.label_type}",
        DRAWING[advice.label_type],
        "## Classes",
        "\n".join(f"- **{each.name}** ({each.kind}): {CLASSES[each.kind]}" for each in classes),
        *(BOXES if boxes else _edges(answers)),
        "## What hides what",
        HIDDEN["boxes" if boxes else "amodal" if amodal else "seen"],
        "## At the side of the image",
        "An object that the image cuts off is *truncated*; draw up to the last pixel"
        + (", and beyond it nothing" if amodal else "")
        + ". The studio sets the tag.",
        "## Glass, water, mirrors",
        "Label what you see: an object behind glass is that object, unless the glass itself is a class here. "
        "Mirror images are not objects.",
        "## Small ones and crowds",
        f"Leave out objects of fewer than {smallest} visible pixels. Where you cannot tell objects apart, "
        f"draw the "
        "group once and tag it *crowd*.",
        "## When you cannot tell",
        "Do not guess a class: use void where there is one, else tag the segment *difficult* and write a "
        "comment.",
    ]
    if answers.tracks:
        parts += [
            "## Through the video",
            "The same object has the same number in all frames, also after it was hidden. A new object "
            "never gets "
            "an old number.",
        ]
    return "\n\n".join(parts) + "\n"

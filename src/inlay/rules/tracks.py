"""Videos as tables: sequences, the tracks in them, and the steps of a track from one frame to its next.

A sequence is the samples of one `group` that have a `frame`; a track is one instance id in one sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.rules.gathered import NO_FRAME, Gathered
from inlay.rules.tables import Integers, Subject


@dataclass(frozen=True, eq=False)
class SequenceTable:
    """One row for each sequence.

    Parameters
    ----------
    images
        (J,) places in `gathered` of the images that lie in a sequence, by sequence and frame.
    start
        (Q + 1,) the images of sequence `q` are `images[start[q]:start[q + 1]]`.
    """

    gathered: Gathered
    images: Integers
    start: Integers

    @classmethod
    def of(cls, gathered: Gathered) -> SequenceTable:
        """The sequences of a dataset, by name."""
        there = np.flatnonzero((gathered.group != "") & (gathered.frame != NO_FRAME))
        names, number = np.unique(gathered.group[there].astype(str), return_inverse=True)
        order = np.lexsort((there, gathered.frame[there], number))
        return cls(gathered, there[order], np.searchsorted(number[order], np.arange(len(names) + 1)))

    def __len__(self) -> int:
        return len(self.start) - 1

    @cached_property
    def frame(self) -> Integers:
        """(J,) frame of each of `images`."""
        return self.gathered.frame[self.images]

    @cached_property
    def number(self) -> Integers:
        """(J,) row of the sequence that each of `images` lies in."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    @cached_property
    def tracks(self) -> TrackTable:
        """The tracks of all sequences."""
        return TrackTable.within(self)

    def name(self, row: int) -> str:
        """Group of the sequence."""
        return str(self.gathered.group[self.images[self.start[row]]])

    def subject(self, row: int) -> Subject:
        """The sequence, shown by its first image."""
        return Subject(int(self.images[self.start[row]]), (), {"sequence": self.name(row)})


@dataclass(frozen=True, eq=False)
class TrackTable:
    """One row for each instance id in each sequence; stuff, whose id is 0, has no track.

    Parameters
    ----------
    segments
        (A,) places in `gathered` of the appearances of all tracks, by track and frame.
    start
        (T + 1,) the appearances of track `t` are `segments[start[t]:start[t + 1]]`.
    sequence
        (T,) row of the track's sequence.
    instance_id
        (T,)
    """

    sequences: SequenceTable
    segments: Integers
    start: Integers
    sequence: Integers
    instance_id: Integers

    @classmethod
    def of(cls, gathered: Gathered) -> TrackTable:
        """The tracks of a dataset."""
        return SequenceTable.of(gathered).tracks

    @classmethod
    def within(cls, sequences: SequenceTable) -> TrackTable:
        """The tracks of some sequences."""
        gathered = sequences.gathered
        of_image = np.full(len(gathered.name), -1)
        of_image[sequences.images] = sequences.number
        sequence = of_image[gathered.image] if len(gathered.image) else np.empty(0, np.int64)
        there = np.flatnonzero((sequence >= 0) & (gathered.instance_id > 0))
        frame = gathered.frame[gathered.image[there]]
        order = np.lexsort((there, frame, gathered.instance_id[there], sequence[there]))
        there = there[order]
        keys = np.column_stack([sequence[there], gathered.instance_id[there]])
        first = np.flatnonzero((np.diff(keys, axis=0, prepend=-1) != 0).any(axis=1))
        return cls(sequences, there, np.append(first, len(there)), keys[first, 0], keys[first, 1])

    def __len__(self) -> int:
        return len(self.start) - 1

    def __getitem__(self, key: str) -> NDArray[Any]:
        """(A,) a measured column of the appearances: "area_px" of segments, "image.coverage" of images."""
        gathered = self.gathered
        if key.startswith("image."):
            return gathered[key][gathered.image[self.segments]]
        return gathered[key][self.segments]

    @property
    def gathered(self) -> Gathered:
        """What the table is made of."""
        return self.sequences.gathered

    @cached_property
    def number(self) -> Integers:
        """(A,) row of the track that each appearance belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    @cached_property
    def frame(self) -> Integers:
        """(A,) frame of each appearance."""
        return self.gathered.frame[self.gathered.image[self.segments]]

    @cached_property
    def steps(self) -> StepTable:
        """The steps of all tracks."""
        return StepTable.within(self)

    def name(self, row: int) -> str:
        """A track as messages call it: the class it begins as, and its instance id."""
        return f"{self.gathered.class_name(int(self.segments[self.start[row]]))} {self.instance_id[row]}"

    def subject(self, row: int) -> Subject:
        """The track, shown where it begins."""
        segment = int(self.segments[self.start[row]])
        names = {"track": self.name(row), "sequence": self.sequences.name(int(self.sequence[row]))}
        return Subject(int(self.gathered.image[segment]), (segment,), names)


@dataclass(frozen=True, eq=False)
class StepTable:
    """One row for each two appearances of a track that follow one another, in two frames.

    Parameters
    ----------
    track
        (P,) row of the track.
    before, after
        (P,) places in `gathered` of the segment in the earlier and in the later frame.
    """

    tracks: TrackTable
    track: Integers
    before: Integers
    after: Integers

    @classmethod
    def of(cls, gathered: Gathered) -> StepTable:
        """The steps of a dataset."""
        return TrackTable.of(gathered).steps

    @classmethod
    def within(cls, tracks: TrackTable) -> StepTable:
        """The steps of some tracks; of an id that stands twice in a frame, the first segment counts."""
        number, frame = tracks.number, tracks.frame
        new = np.ones(len(number), np.bool_)
        new[1:] = (np.diff(number) != 0) | (np.diff(frame) != 0)
        place = np.flatnonzero(new)
        pair = np.flatnonzero(np.diff(number[place]) == 0)
        before, after = place[pair], place[pair + 1]
        return cls(tracks, number[before], tracks.segments[before], tracks.segments[after])

    def __len__(self) -> int:
        return len(self.track)

    @property
    def gathered(self) -> Gathered:
        """What the table is made of."""
        return self.tracks.gathered

    @cached_property
    def frames(self) -> Integers:
        """(P,) frames from one to the other, 1 or more."""
        frame, image = self.gathered.frame, self.gathered.image
        return frame[image[self.after]] - frame[image[self.before]]

    def subject(self, row: int) -> Subject:
        """The later segment."""
        gathered, after = self.gathered, int(self.after[row])
        image = int(gathered.image[after])
        earlier = str(gathered.name[gathered.image[self.before[row]]])
        names = {
            **self.tracks.subject(int(self.track[row])).names,
            "segment": gathered.segment_name(after),
            "before": earlier,
        }
        return Subject(image, (after,), names)

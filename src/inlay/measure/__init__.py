"""Measure: counts, areas, shapes, zones, tracks, cut-outs and poses with honest intervals."""

from inlay.core.geodesy import geodesic_areas
from inlay.measure.areas import AreaError, mapped_areas
from inlay.measure.calibration import Calibration
from inlay.measure.cameras import gallery, link, linked
from inlay.measure.counts import CountError, counts
from inlay.measure.cutout import alpha, blur_background, cut_out, replace_background, steady
from inlay.measure.estimate import Estimate
from inlay.measure.pose import Pose, pick_order
from inlay.measure.repair import Repair, keep_repair, read_repairs, repaired
from inlay.measure.shapes import shapes
from inlay.measure.spacing import StatedSizes, stated_calibration, stated_sizes
from inlay.measure.table import segment_table, write_table
from inlay.measure.track_list import SeenTrack, proposals, tracks_of
from inlay.measure.tracks import Tracking, renumber, track
from inlay.measure.zones import Line, Zone, crossings, occupancy, read_zones, stays

__all__ = [
    "AreaError",
    "Calibration",
    "CountError",
    "Estimate",
    "Line",
    "Pose",
    "Repair",
    "SeenTrack",
    "StatedSizes",
    "Tracking",
    "Zone",
    "alpha",
    "blur_background",
    "counts",
    "crossings",
    "cut_out",
    "gallery",
    "geodesic_areas",
    "keep_repair",
    "link",
    "linked",
    "mapped_areas",
    "occupancy",
    "pick_order",
    "proposals",
    "read_repairs",
    "read_zones",
    "renumber",
    "repaired",
    "replace_background",
    "segment_table",
    "shapes",
    "stated_calibration",
    "stated_sizes",
    "stays",
    "steady",
    "track",
    "tracks_of",
    "write_table",
]

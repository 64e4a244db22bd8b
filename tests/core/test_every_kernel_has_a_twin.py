"""Each kernel and the law that holds it equal to something plain: numpy, or a tool written apart from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from inlay.core import kernels

TESTS = Path(__file__).resolve().parents[1]
LAWS = {
    "core/test_masks.py": {
        "decoding_an_encoded_stack_gives_it_back": "encode decode decode_into",
        "strings_are_those_of_pycocotools": "to_strings",
        "area_and_box_are_measured_right": "area box",
        "set_operations_are_those_of_numpy": "combine",
        "intersection_and_iou_are_those_of_pycocotools": "intersection",
        "the_last_mask_lies_on_top_when_painted": "paint",
        "masks_of_an_id_map_are_where_its_values_are": "split_ids",
        "merged_masks_are_the_unions_of_their_groups": "unite",
        "a_crop_is_the_slice_of_the_decoded_mask": "crop",
    },
    "core/test_kernel_twins.py": {
        "arcs_are_simplified_as_douglas_and_peucker_do": "simplify",
        "each_pixel_has_the_front_row_that_the_arcs_west_of_its_centre_lead_into": "sweep",
        "masks_taken_in_any_order_are_those_of_numpy": "take",
        "runs_of_another_length_are_found_and_empty_ones_joined": "canonical uncovered",
        "any_text_is_read_as_its_rule_says_or_refused": "from_strings",
    },
    "core/test_contacts.py": {"contacts_are_the_pixel_edges_between_rows": "contacts"},
    "core/test_contacts_of_masks.py": {"masks_have_the_contacts_of_their_id_map": "neighbours"},
    "core/test_coverage.py": {
        "covered_pixels_are_counted_over_the_masks": "covered",
        "confusion_counts_pairs_of_judged_pixels": "tally",
    },
    "core/test_distances.py": {
        "a_distance_is_that_to_the_nearest_of_all_zeros": "distance",
        "depth_and_the_innermost_pixel_are_scipys": "innermost",
    },
    "core/test_edges.py": {"every_crack_lies_on_one_arc_between_its_two_rows": "arcs"},
    "core/test_geodesic.py": {"paths_cost_what_a_plain_search_finds": "geodesic"},
    "core/test_morphology.py": {
        "both_elements_look_at_their_neighbourhood_alone": "erode dilate",
        "a_boundary_band_is_that_of_boundary_iou": "band",
    },
    "core/test_parts.py": {"parts_are_those_of_scipy": "parts"},
    "core/test_placing.py": {
        "a_cut_is_the_slice_of_the_image_with_nothing_around": "window",
        "mirrored_and_turned_masks_are_those_of_numpy": "flip transposed",
        "nearest_takes_the_pixel_under_each_centre": "resize_nearest",
        "area_keeps_pixels_that_are_covered_by_more_than_half": "resize_area",
    },
    "core/test_polygons.py": {
        "each_ring_by_the_pixel_edge_rule_is_that_of_pycocotools": "fill_edge",
        "a_ring_by_the_pixel_centre_rule_is_that_of_opencv": "fill_centre",
        "traced_masks_are_filled_exactly": "trace",
    },
    "core/test_png.py": {
        "every_filter_and_packing_gives_the_pixels_back": "read_png",
        "pairs_of_colours_are_those_of_the_pixels": "png_pairs",
    },
    "core/test_coco_text.py": {
        "results_are_scanned_as_json_reads_them": "scan_results",
        "polygons_are_filled_as_by_the_general_reader": "read_geometries",
    },
    "formats/test_scanned_coco.py": {"scanned_labels_equal_the_read_ones": "scan_annotations"},
    "formats/test_coco_writer.py": {
        "annotations_are_written_as_plain_dictionaries_would_be": "write_annotations write_geometries"
    },
    "metrics/test_match_kernels.py": {
        "pairs_count_each_pair_of_values": "pairs",
        "box_iou_is_shared_area_over_union": "box_iou",
        "match_gives_each_prediction_its_best_free_truth": "match",
        "each_prediction_is_explained_by_the_truth_it_took": "explain",
        "places_in_groups_are_those_of_a_stable_sort": "rank_in_groups",
        "precision_over_recall_equals_the_cumulative_sums": "precision_recall mean_precision",
    },
    "metrics/test_whole_files.py": {
        "figures_are_those_of_the_samples_and_of_pycocotools": "judge_masks judge_boxes"
    },
}


def test_every_kernel_has_a_law():
    named = [name for laws in LAWS.values() for those in laws.values() for name in those.split()]
    assert sorted(named) == sorted(name for name in dir(kernels) if not name.startswith("_"))


@pytest.mark.parametrize("file", LAWS)
def test_the_laws_are_there_and_tried_over_random_data(file):
    text = (TESTS / file).read_text()
    for law in LAWS[file]:
        head = text[: text.index(f"def test_{law}(")]
        assert "@given(" in head[head.rindex("\n\n\n") :], law

"""Pretrained networks of transformers predict here as they do there, with random weights at small sizes."""

from __future__ import annotations

import json
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from inlay import Dataset, FormatError, InlayError
from inlay.cli import main
from inlay.formats import read

torch = pytest.importorskip("torch", reason="needs inlay[train]")
pytest.importorskip("transformers", reason="needs inlay[pretrained]")

from inlay.models.pretrained.network import Pretrained, things_of_sigmoids  # noqa: E402
from inlay.training.prediction import opened  # noqa: E402
from inlay.training.pretrained import PretrainedRun  # noqa: E402
from inlay.training.segmenting import Looking  # noqa: E402

SIDE = 64
NAMES = {0: "person", 1: "sky-other-merged", 2: "car", 3: "road"}
EDGES = {"shortest_edge": SIDE, "longest_edge": SIDE}


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def network(kind):
    """A network of transformers with random weights."""
    import transformers as t

    labels = {"id2label": NAMES, "label2id": {name: number for number, name in NAMES.items()}}
    torch.manual_seed(1)
    if kind == "segformer":
        narrow = {"hidden_sizes": [8, 8, 16, 16], "depths": [1] * 4, "num_attention_heads": [1, 1, 2, 2]}
        config = t.SegformerConfig(**narrow, **labels, decoder_hidden_size=16, sr_ratios=[4, 2, 2, 1])
        return t.SegformerForSemanticSegmentation(config).eval()
    if kind == "mask2former":
        stages = ["stage1", "stage2", "stage3", "stage4"]
        encoder = {"embed_dim": 8, "depths": [1] * 4, "num_heads": [1, 1, 2, 2], "window_size": 4}
        widths = {"feature_size": 32, "mask_feature_size": 32, "hidden_dim": 32, "num_attention_heads": 2}
        inner = {
            "encoder_feedforward_dim": 16,
            "dim_feedforward": 16,
            "encoder_layers": 1,
            "decoder_layers": 2,
        }
        config = t.Mask2FormerConfig(
            backbone_config=t.SwinConfig(**encoder, image_size=SIDE, out_features=stages).to_dict(),
            **widths,
            **inner,
            **labels,
            num_queries=7,
        )
        return t.Mask2FormerForUniversalSegmentation(config).eval()
    if kind == "eomt":
        sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "mlp_ratio": 2}
        config = t.EomtConfig(
            **sizes, **labels, image_size=SIDE, num_blocks=1, num_queries=6, num_upscale_blocks=1
        )
        return t.EomtForUniversalSegmentation(config).eval()
    encoder = {
        "model_type": "rf_detr_dinov2",
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": SIDE,
        "patch_size": 16,
        "num_windows": 2,
        "out_indices": [1, 2],
    }
    heads = {"decoder_self_attention_heads": 2, "decoder_cross_attention_heads": 2, "decoder_layers": 2}
    config = t.RfDetrConfig(
        backbone_config=encoder,
        d_model=32,
        decoder_ffn_dim=32,
        **heads,
        **labels,
        num_queries=6,
        group_detr=2,
        c2f_num_blocks=1,
    )
    return t.RfDetrForInstanceSegmentation(config).eval()


KINDS = ("segformer", "mask2former", "eomt", "rf_detr")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A function from a kind, the name of its folder and what its look is, to that folder."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    networks = {}

    def made(kind, name, **look):
        path = tmp_path_factory.mktemp("networks") / name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind not in networks:
                networks[kind] = network(kind)
            networks[kind].save_pretrained(path)
        square = {"height": SIDE, "width": SIDE}
        told = {"size": EDGES if kind == "eomt" else square, **look}
        (path / "preprocessor_config.json").write_text(json.dumps(told))
        return path

    return made


def image(height, width, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    from PIL import Image

    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def theirs(path, kind, pixels):
    """The semantic map that transformers makes."""
    import transformers as t
    from transformers.models.eomt.image_processing_pil_eomt import EomtImageProcessorPil
    from transformers.models.mask2former.image_processing_pil_mask2former import Mask2FormerImageProcessorPil
    from transformers.models.segformer.image_processing_pil_segformer import SegformerImageProcessorPil

    processors = {
        "segformer": (SegformerImageProcessorPil, t.SegformerForSemanticSegmentation),
        "mask2former": (Mask2FormerImageProcessorPil, t.Mask2FormerForUniversalSegmentation),
        "eomt": (EomtImageProcessorPil, t.EomtForUniversalSegmentation),
    }
    processor, model = (each.from_pretrained(path) for each in processors[kind])
    inputs = processor(pixels, return_tensors="pt")
    with torch.inference_mode():
        raw = model.eval()(**inputs)
    return processor.post_process_semantic_segmentation(raw, target_sizes=[pixels.shape[:2]])[0].numpy()


def ours(path, pixels, **looking):
    run = PretrainedRun(path)
    return run.segmenter("cpu").images([pixels], Looking(**looking))[0]


@pytest.mark.parametrize(
    ("kind", "look"),
    [
        ("segformer", {}),
        ("mask2former", {}),
        ("mask2former", {"size": {"shortest_edge": 50, "longest_edge": 90}}),
        ("eomt", {"do_split_image": True, "size": {"shortest_edge": SIDE, "longest_edge": None}}),
    ],
)
def test_semantic_maps_are_those_of_transformers(folder, kind, look):
    path = folder(kind, "ade_semantic", **look)
    same = image(SIDE, SIDE)  # as large as the network takes it
    found = ours(path, same)
    assert (found.semantic() == theirs(path, kind, same)).all()
    assert found.is_partition
    assert not found.is_thing.any()
    for size in ((50, 90), (90, 41)):  # resized: two ways of rounding
        other = image(*size, seed=3)
        agree = ours(path, other).semantic() == theirs(path, kind, other)
        assert agree.mean() > 0.98


def blobs(count, side, seed):
    """(count, side, side) logits of far-apart masks, sure of themselves."""
    lot = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    cells = lot.permutation(9)[:count]
    centres = (np.stack([cells // 3, cells % 3], 1) + 0.5) * side / 3
    far = np.hypot(y[None] - centres[:, 0, None, None], x[None] - centres[:, 1, None, None])
    return ((side / 8 - far) * 8).astype(np.float32)


def made_up(kind, seed):
    """Raw outputs of five queries, of which one found nothing."""
    lot = np.random.default_rng(seed)
    numbers = np.append(lot.integers(0, 4, 4), 4)
    classes = np.full((1, 5, 5), -6, np.float32)
    classes[0, np.arange(5), numbers] = 6
    side = 32 if kind == "mask2former" else 16
    masks = blobs(5, side, seed)[None]
    return torch.from_numpy(classes), torch.from_numpy(masks)


def shown(segmentation):
    """Names and masks, in an order that does not depend on scores."""
    pairs = [(int(row), mask) for row, mask in zip(segmentation.class_id, np.asarray(segmentation.masks))]
    return sorted(pairs, key=lambda pair: (pair[0], int(pair[1].argmax())))


def same_segments(found, expected):
    assert [row for row, _ in found] == [row for row, _ in expected]
    for (_, one), (_, two) in zip(found, expected):
        assert (one & two).sum() / (one | two).sum() > 0.9  # at rims: one interpolation or two


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["mask2former", "eomt"])
@pytest.mark.parametrize("task", ["instance", "panoptic"])
def test_segments_are_those_of_transformers_where_masks_are_apart(folder, kind, task, seed):
    from transformers.models.eomt.image_processing_pil_eomt import EomtImageProcessorPil
    from transformers.models.mask2former.image_processing_pil_mask2former import Mask2FormerImageProcessorPil

    path = folder(kind, f"coco_{task}", **({"do_pad": True} if kind == "eomt" else {}))
    category, masks = made_up(kind, seed)
    run, size = PretrainedRun(path), (96, 60)
    assert run.task == task
    raw = SimpleNamespace(class_queries_logits=category, masks_queries_logits=masks, patch_offsets=None)
    kinds = {"mask2former": Mask2FormerImageProcessorPil, "eomt": EomtImageProcessorPil}
    processor = kinds[kind].from_pretrained(path)
    stuff = np.flatnonzero(~run.classes.is_thing).tolist()
    if task == "panoptic":
        key = "stuff_classes" if kind == "eomt" else "label_ids_to_fuse"
        given = stuff if kind == "eomt" else set(stuff)
        told = processor.post_process_panoptic_segmentation(raw, target_sizes=[size], **{key: given})[0]
    else:
        told = processor.post_process_instance_segmentation(raw, target_sizes=[size])[0]
    ids = told["segmentation"].numpy()
    expected = {info["id"]: (info["label_id"], ids == info["id"]) for info in told["segments_info"]}
    model = Pretrained(None, kind, look_of(run), run.classes, task)
    found = model.decode((category, masks), [size])[0]
    anybody = np.ones(size, bool)
    if (
        kind == "mask2former"
    ):  # its processor gives each pixel to some query, also where none claims half of it
        anybody = torch.nn.functional.interpolate(masks[:, :4], size, mode="bilinear")[0].amax(0).numpy() > 0
    seen = [(row, mask & anybody) for row, mask in expected.values() if (mask & anybody).any()]
    same_segments(shown(found), sorted(seen, key=lambda pair: (pair[0], int(pair[1].argmax()))))
    assert (found.score > 0.8).all()


def look_of(run):
    from inlay.models.pretrained.look import read_look

    return read_look(run.folder, run.kind)


def test_things_of_rf_detr_are_those_of_its_processor(folder):
    """Its processor wants torchvision: by hand, the best pairs of a query and a class, masks enlarged."""
    lot = np.random.default_rng(0)
    logits = lot.normal(0, 2, (6, 4)).astype(np.float32)
    masks = lot.normal(0, 1, (6, 16, 16)).astype(np.float32)
    size = (40, 70)
    run = PretrainedRun(folder("rf_detr", "net"))
    assert run.task == "instance"
    found = things_of_sigmoids(logits, masks, size, run.classes, minimum_score=0.5)
    scores, pairs = torch.from_numpy(logits).sigmoid().flatten().topk(6)
    large = torch.nn.functional.interpolate(torch.from_numpy(masks)[:, None], size, mode="bilinear")[:, 0] > 0
    wanted = [(score, pair % 4, large[pair // 4]) for score, pair in zip(scores, pairs) if score > 0.5][::-1]
    assert len(found) == len(wanted) > 2
    for score, row, mask, (sure, number, inside) in zip(
        found.score, found.class_id, np.asarray(found.masks), wanted, strict=True
    ):
        assert score == pytest.approx(float(sure), abs=1e-6)
        assert row == int(number)
        assert (mask != inside.numpy()).sum() <= 1  # a tie


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_predicts_as_a_run_does_images_of_any_size(folder, kind, tmp_path):
    from PIL import Image

    look = {"do_pad": True} if kind == "eomt" else {}
    path = folder(kind, "coco_panoptic", **look)
    (tmp_path / "photos").mkdir()
    for name, size in (("a", (48, 70)), ("b", (1, 1)), ("c", (3, 90)), ("d", (130, 64))):
        Image.fromarray(image(*size)).save(tmp_path / "photos" / f"{name}.png")
    command = ["predict", str(path), str(tmp_path / "photos"), "--out", str(tmp_path / "out")]
    assert main([*command, "--minimum-score", "0", "--flips", "--batch", "2"]) == 0
    predictions = read(tmp_path / "out")
    assert isinstance(predictions, Dataset)
    assert predictions.classes.names == tuple(NAMES.values())
    for sample in predictions:
        assert sample.label().size == sample.pixels().shape[:2]
        assert kind in ("segformer", "rf_detr") or sample.label().is_partition
    tiled = ours(path, image(90, 150), tile=64, overlap=16, minimum_score=0.0)
    assert tiled.size == (90, 150)


def test_kinds_come_from_names_or_from_a_list_beside_the_weights(folder):
    panoptic = PretrainedRun(folder("eomt", "coco_panoptic"))
    assert [item.kind for item in panoptic.classes] == ["thing", "stuff", "thing", "stuff"]
    assert panoptic.task == "panoptic"
    assert PretrainedRun(folder("eomt", "coco_instance")).classes.is_thing.all()
    assert PretrainedRun(folder("eomt", "net")).task == "panoptic"
    assert PretrainedRun(folder("eomt", "net", do_split_image=True)).task == "semantic"
    path = folder("eomt", "net")
    rows = [{"name": name, "kind": "thing"} for name in "abcd"]
    (path / "classes.json").write_text(json.dumps(rows))
    assert PretrainedRun(path).task == "instance"
    assert PretrainedRun(path).classes.names == ("a", "b", "c", "d")
    (path / "classes.json").write_text(json.dumps(rows[:3]))
    with pytest.raises(FormatError, match="3 classes; the network has 4"):
        PretrainedRun(path).network()


def test_what_is_no_such_network_is_refused_in_one_line(folder, tmp_path):
    path = folder("segformer", "net")
    config = json.loads((path / "config.json").read_text())

    def refused(words, **files):
        case = tmp_path / f"case{len(list(tmp_path.iterdir()))}"
        case.mkdir()
        for file in path.iterdir():
            (case / file.name).write_bytes(file.read_bytes())
        for name, content in files.items():
            (case / f"{name}.json").write_text(content if isinstance(content, str) else json.dumps(content))
        with pytest.raises(InlayError, match=words) as error:
            run = opened(case)
            assert run.classes
            run.segmenter("cpu")
        assert "\n" not in str(error.value)

    refused("is 'bert'; networks that predict", config={**config, "model_type": "bert"})
    refused("code of its own", config={**config, "auto_map": {"AutoModel": "evil.py"}})
    refused("not JSON", config="{")
    refused("id2label", config={**config, "id2label": {"x": "y"}})
    refused("cannot be read as Segformer", config={**config, "decoder_hidden_size": 24})
    refused("size: is 'large'", preprocessor_config={"size": "large"})
    refused("three numbers", preprocessor_config={"image_mean": [0.5]})
    with pytest.raises(InlayError, match="hub:OWNER/NAME"):
        list(opened("hub:nobody").classes)

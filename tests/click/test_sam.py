"""Pretrained networks of the SAM family answer as transformers does; what they saw is kept on disk."""

from __future__ import annotations

import json
import logging
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inlay import FormatError, InlayError
from inlay.cli import main
from inlay.click import load, ready
from inlay.click.parts.embeddings import Embeddings
from inlay.click.parts.frame import Frame
from inlay.click.sam import WEIGHTS, Sam

from .drawn import anything, iou

torch = pytest.importorskip("torch", reason="needs inlay[train]")
pytest.importorskip("transformers", reason="needs inlay[pretrained]")

from torch.nn import functional as F  # noqa: E402

from .pretrained_networks import BUILDERS, small, write_words, written  # noqa: E402

CLOSE = 1e-4
HEIGHT, WIDTH = 37, 53
IMAGE = anything(3, HEIGHT, WIDTH)
SQUARE = np.pad(np.ones((12, 14), bool), ((5, 20), (6, 33)))
PROMPTS = [
    {"points": [(10, 12, True)]},
    {"points": [(10, 12, True), (40, 30, False)]},
    {"box": (3, 4, 30, 28)},
    {"box": (3, 4, 30, 28), "points": [(12, 12, True)]},
]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(WEIGHTS, raising=False)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of networks by kind, made when they are asked for."""
    made = {}

    def folder(kind):
        if kind not in made:
            made[kind] = written(small(kind), tmp_path_factory.mktemp("networks") / kind)
            write_words(made[kind])
        return made[kind]

    return folder


def theirs(kind, folder):
    """The network as transformers opens it."""
    import transformers

    name = {"sam": "SamModel", "sam_hq": "SamHQModel", "sam2": "Sam2Model", "sam3_video": "Sam3TrackerModel"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(transformers, name[kind]).from_pretrained(folder).eval()


def square(image, side, mean, deviation):
    """(1, 3, side, side) of an image that fills the square, by torch."""
    values = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    resized = F.interpolate(values, (side, side), mode="bilinear", antialias=True).round()
    return (resized / 255 - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(deviation).view(3, 1, 1)


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: "+".join(prompt))
@pytest.mark.parametrize("kind", ["sam", "sam_hq"])
def test_sam_answers_as_the_pipeline_of_transformers_does(folders, kind, prompt):
    from transformers import SamProcessor
    from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

    sizes = {"size": {"longest_edge": 64}, "pad_size": {"height": 64, "width": 64}}
    processor = SamProcessor(SamImageProcessorPil(**sizes))
    given = {}
    if "points" in prompt:
        given["input_points"] = [[list(point[:2]) for point in prompt["points"]]]
        given["input_labels"] = [[int(point[2]) for point in prompt["points"]]]
    if "box" in prompt:
        given["input_boxes"] = [[list(prompt["box"])]]
    inputs = processor(Image.fromarray(IMAGE), return_tensors="pt", **given)
    told = {name: inputs[name] for name in ("pixel_values", *given)}
    told = {k: v.float() if v.dtype == torch.float64 else v for k, v in told.items()}
    several = len(prompt.get("points", ())) == 1 and "box" not in prompt
    with torch.inference_mode():
        expected = theirs(kind, folders(kind))(**told, multimask_output=several)
    engine = Sam(folders(kind), kind)
    network = engine.clicked
    frame = engine.frame(IMAGE, network)
    pixels = frame.pixels(IMAGE, *engine._colours)
    assert np.abs(pixels - inputs["pixel_values"].numpy()).max() <= CLOSE
    state = Unrounded(engine, network.embed(pixels))
    logits, scores = state.answer(prompt)
    assert np.abs(logits - expected.pred_masks[0, 0].numpy()).max() <= CLOSE
    assert np.abs(scores - expected.iou_scores[0, 0].numpy()).max() <= CLOSE
    sizes = [inputs[name].tolist() for name in ("original_sizes", "reshaped_input_sizes")]
    masks = processor.image_processor.post_process_masks(expected.pred_masks, *sizes)[0][0].numpy()
    for mask, values in zip(masks, logits):
        (x0, y0, x1, y1), inside = frame.inside(values)
        found = np.zeros_like(mask)
        found[y0:y1, x0:x1] = inside
        assert (found != mask).sum() <= 1  # a tie


class Unrounded:
    """The answers of an engine for an embedding that was not kept in 16 bits."""

    def __init__(self, engine, embedding):
        self._state = engine.embed(IMAGE)
        self._state.__dict__["seen"] = embedding

    def answer(self, prompt):
        from inlay.click.parts.prompt import prompt_of

        return self._state._asked(prompt_of((HEIGHT, WIDTH), **prompt))


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: "+".join(prompt))
@pytest.mark.parametrize("kind", ["sam2", "sam3_video"])
def test_sam_2_and_3_answer_as_the_networks_of_transformers_do(folders, kind, prompt):
    engine = Sam(folders(kind), kind)
    network = engine.clicked
    mean, deviation = (
        ((0.5,) * 3,) * 2 if kind == "sam3_video" else ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    wanted = square(IMAGE, network.side, mean, deviation)
    pixels = engine.frame(IMAGE, network).pixels(IMAGE, *engine._colours)
    assert np.abs(pixels - wanted.numpy()).max() <= 1.01 / 255 / min(deviation)  # PIL rounds twice
    scale = torch.tensor([network.side / WIDTH, network.side / HEIGHT])
    told = {"multimask_output": len(prompt.get("points", ())) == 1 and "box" not in prompt}
    if "points" in prompt:
        told["input_points"] = (torch.tensor([point[:2] for point in prompt["points"]]) * scale)[None, None]
        told["input_labels"] = torch.tensor([[[int(point[2]) for point in prompt["points"]]]])
    if "box" in prompt:
        told["input_boxes"] = (torch.tensor(prompt["box"]).view(2, 2) * scale).view(1, 1, 4)
    with torch.inference_mode():
        expected = theirs(kind, folders(kind))(pixel_values=torch.from_numpy(pixels), **told)
    logits, scores = Unrounded(engine, network.embed(pixels)).answer(prompt)
    assert np.abs(logits - expected.pred_masks[0, 0].numpy()).max() <= CLOSE
    assert np.abs(scores - expected.iou_scores[0, 0].numpy()).max() <= CLOSE


def test_sam_3_finds_what_a_text_names_as_transformers_does(folders):
    import transformers

    folder = folders("sam3_video")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = transformers.Sam3Model.from_pretrained(folder).eval()
        words = transformers.AutoTokenizer.from_pretrained(folder)
    engine = load(folder)
    pixels = engine.frame(IMAGE, engine.named).pixels(IMAGE, *engine._colours)
    text = words("a red car", return_tensors="pt", padding="max_length", max_length=32)
    with torch.inference_mode():
        raw = network(pixel_values=torch.from_numpy(pixels), **text)
    shares, scores = engine.named.answer(engine.named.embed(pixels), "a red car")
    assert np.abs(shares - raw.pred_masks[0].sigmoid().numpy()).max() <= CLOSE
    expected = (raw.pred_logits.sigmoid() * raw.presence_logits.sigmoid())[0].numpy()
    assert np.abs(scores - expected).max() <= CLOSE
    found = engine.embed(IMAGE).find("a red car", minimum_score=0.0)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert len(found) == len(scores)
    large = F.interpolate(raw.pred_masks.sigmoid(), (HEIGHT, WIDTH), mode="bilinear")[0] > 0.5
    assert iou(found[0].mask, large[int(expected.argmax())].numpy()) > 0.98  # through 16 bits
    assert engine.embed(IMAGE).find("a red car", minimum_score=1.0) == []
    with pytest.raises(InlayError, match="empty"):
        engine.embed(IMAGE).find(" ")
    with pytest.raises(InlayError, match="tokens"):
        engine.embed(IMAGE).find("a very long text " * 9)


@pytest.mark.parametrize("kind", BUILDERS)
def test_every_prompt_gets_masks_that_respect_it(folders, kind):
    state = load(folders(kind)).embed(IMAGE)
    for prompt in (*PROMPTS, {"mask": SQUARE}, {"scribble": [(3, 3), (30, 20)]}):
        for found in state.mask(**prompt):
            assert found.mask.shape == (HEIGHT, WIDTH)
            assert 0 <= found.score <= 1
            for x, y, positive in prompt.get("points", ()):
                assert found.mask[int(y), int(x)] == positive
        again = state.mask(**prompt)
        assert [each.score for each in again] == [each.score for each in state.mask(**prompt)]
    mended = state.mask(points=[(30, 20, True)], mask=SQUARE)[0]
    assert mended.mask[20, 30]
    with pytest.raises(InlayError, match="outside the image"):
        state.mask(points=[(530, 3, True)])


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (300, 200)])
def test_images_of_any_size_are_taken(folders, size):
    for kind in ("sam", "sam2"):
        state = load(folders(kind)).embed(np.full((*size, 3), 99, np.uint8))
        assert state.mask(points=[(0.5, 0.5, True)])[0].mask.shape == size
    with pytest.raises(InlayError, match="no pixels"):
        load(folders("sam")).embed(np.zeros((0, 4, 3), np.uint8))


def test_an_image_is_looked_at_once_and_again_where_the_cache_is_broken(
    folders, tmp_path, caplog, monkeypatch
):
    seen = []
    kept = Embeddings(tmp_path / "kept")

    def state(image):
        engine = Sam(folders("sam2"), "sam2", kept)
        embed = engine.clicked.embed
        monkeypatch.setattr(engine.clicked, "embed", lambda pixels: seen.append(1) or embed(pixels))
        return engine.embed(image)

    first = state(IMAGE).mask(**PROMPTS[0])
    again = state(IMAGE).mask(**PROMPTS[0])
    assert len(seen) == 1
    assert all((a.mask == b.mask).all() and a.score == b.score for a, b in zip(first, again, strict=True))
    state(IMAGE[::-1].copy())
    assert len(seen) == 2
    files = sorted((tmp_path / "kept").iterdir())
    assert len(files) == 2
    for broken in (b"", b"PK\x03\x04 no more", files[0].read_bytes()[:-200], b"\x80\x04cos\nsystem\n."):
        for file in files:
            file.write_bytes(broken)
        before = len(seen)
        with caplog.at_level(logging.WARNING, "inlay.click"):
            state(IMAGE)
        assert len(seen) == before + 1
        assert "computed anew" in caplog.text
        caplog.clear()


def test_the_cache_is_bounded_and_the_longest_unused_goes_first(tmp_path):
    kept = Embeddings(tmp_path, room=3000)
    images = [np.full((2, 2, 3), value, np.uint8) for value in range(4)]
    for image in images[:2]:
        kept.get(image, "net", lambda: {"0": np.ones(400, np.float32)})
    oldest = min(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    kept.get(images[0], "net", lambda: pytest.fail("it is kept"))
    kept.get(images[2], "net", lambda: {"0": np.ones(400, np.float32)})
    kept.get(images[0], "net", lambda: pytest.fail("it was used lately"))
    assert oldest.exists()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3000
    large = kept.get(images[3], "net", lambda: {"0": np.full(3, 1e6, np.float32)})
    assert (large["0"] == 1e6).all()


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path, caplog):
    (tmp_path / "kept").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING, "inlay.click"):
        found = Embeddings(tmp_path / "kept").get(IMAGE, "net", lambda: {"0": np.ones(4, np.float32)})
    assert (found["0"] == 1).all()
    assert "not kept" in caplog.text


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.tuples(*[st.integers(1, 70)] * 2), st.booleans())
def test_masks_are_enlarged_as_torch_enlarges_them(seed, size, padded):
    values = np.random.default_rng(seed).normal(0, 1, (8, 8)).astype(np.float32)
    frame = Frame(size, 32, padded)
    whole = torch.from_numpy(values)[None, None]
    if padded:
        whole = F.interpolate(whole, (32, 32), mode="bilinear")[..., : frame.inner[0], : frame.inner[1]]
    wanted = F.interpolate(whole, size, mode="bilinear")[0, 0].numpy()
    (x0, y0, x1, y1), inside = frame.inside(values)
    found = np.zeros(size, bool)
    found[y0:y1, x0:x1] = inside
    sure = np.abs(wanted) > 1e-4
    assert (found == (wanted > 0))[sure].all()


class Encoder(torch.nn.Module):
    """What Optimum exports of the encoder."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, pixel_values):
        seen = self.network.vision_encoder(pixel_values).last_hidden_state
        return seen, self.network.get_image_wide_positional_embeddings()


class Decoder(torch.nn.Module):
    """What Optimum exports of the rest."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, input_points, input_labels, image_embeddings, image_positional_embeddings):
        sparse, dense = self.network.prompt_encoder(input_points, input_labels, None, None)
        masks, scores = self.network.mask_decoder(
            image_embeddings=image_embeddings,
            image_positional_embeddings=image_positional_embeddings,
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )[:2]
        return scores, masks


@pytest.fixture(scope="module")
def exported(folders, tmp_path_factory):
    """The folder of ONNX files that Optimum would write."""
    pytest.importorskip("onnx", reason="needs inlay[onnx]")
    folder = tmp_path_factory.mktemp("exported")
    network = theirs("sam", folders("sam"))
    network.set_attn_implementation("eager")
    (folder / "config.json").write_text((folders("sam") / "config.json").read_text())
    (folder / "onnx").mkdir()
    seen = torch.randn(1, 16, 4, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Encoder(network),
            (torch.randn(1, 3, 64, 64),),
            folder / "onnx" / "vision_encoder.onnx",
            input_names=["pixel_values"],
            output_names=["image_embeddings", "image_positional_embeddings"],
            dynamo=False,
        )
        torch.onnx.export(
            Decoder(network),
            (torch.rand(1, 1, 2, 2) * 64, torch.ones(1, 1, 2, dtype=torch.int64), seen, seen),
            folder / "onnx" / "prompt_encoder_mask_decoder.onnx",
            input_names=["input_points", "input_labels", "image_embeddings", "image_positional_embeddings"],
            output_names=["iou_scores", "pred_masks"],
            dynamic_axes={"input_points": {2: "points"}, "input_labels": {2: "points"}},
            dynamo=False,
        )
    return folder


def test_exported_files_answer_as_the_network_they_were_made_of(folders, exported):
    prompt = {"points": [(10, 12, True)]}
    ours, files = (load(folder).embed(IMAGE).mask(**prompt) for folder in (folders("sam"), exported))
    assert len(files) == 3
    for one, two in zip(ours, files, strict=True):
        assert one.score == pytest.approx(two.score, abs=1e-3)  # of embeddings in 16 bits
        assert iou(one.mask, two.mask) > 0.98
    state = load(exported).embed(IMAGE)
    assert not state.mask(points=[(10, 12, True), (40, 30, False)])[0].mask[30, 40]
    with pytest.raises(InlayError, match="does not take a box"):
        state.mask(box=(3, 4, 30, 28))
    with pytest.raises(InlayError, match="a mask without a click"):
        state.mask(mask=SQUARE)


def test_the_environment_names_the_weights_of_sam(folders, monkeypatch):
    assert "sam" not in ready()
    with pytest.raises(InlayError, match=WEIGHTS):
        load("sam")
    monkeypatch.setenv(WEIGHTS, str(folders("sam")))
    assert "sam" in ready()
    assert load("sam").embed(IMAGE).mask(**PROMPTS[0])


def test_what_is_no_whole_network_is_refused_in_one_line(folders, tmp_path):
    def refused(words, **files):
        folder = tmp_path / f"case{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for file in folders("sam").iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        for name, content in files.items():
            path = folder / name.replace("_json", ".json").replace("model_", "model.")
            path.unlink() if content is None else path.write_bytes(content)
        with pytest.raises(InlayError, match=words) as error:
            load(folder)
        assert "\n" not in str(error.value)

    config = json.loads((folders("sam") / "config.json").read_text())
    other = {**config, "model_type": "bert"}
    foreign = {**config, "auto_map": {"AutoModel": "code.Evil"}}
    wider = {**config, "mask_decoder_config": {**config["mask_decoder_config"], "mlp_dim": 48}}
    refused("is 'bert', no click engine", config_json=json.dumps(other).encode())
    refused("code of its own", config_json=json.dumps(foreign).encode())
    refused("not JSON", config_json=b"{")
    refused("model_type", config_json=b"{}")
    refused("JSON object", config_json=b"[1]")
    refused("cannot be read as SamModel", config_json=json.dumps(wider).encode())
    refused("cannot be read as SamModel", model_safetensors=None)
    refused("cannot be read as SamModel", model_safetensors=b"none")
    refused(
        "cannot be read as SamModel",
        model_safetensors=(folders("sam") / "model.safetensors").read_bytes()[:-9],
    )


def test_a_pickle_that_holds_code_is_never_run(folders, tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath("done").touch, ())

    folder = tmp_path / "evil"
    folder.mkdir()
    (folder / "config.json").write_bytes((folders("sam") / "config.json").read_bytes())
    torch.save({"x": Evil()}, folder / "pytorch_model.bin", pickle_module=pickle)
    with pytest.raises(FormatError, match="cannot be read"):
        load(folder)
    assert not (tmp_path / "done").exists()


def test_a_text_asks_for_a_network_that_reads(folders, tmp_path, capsys):
    Image.fromarray(IMAGE).save(tmp_path / "photo.png")
    out = ["--out", str(tmp_path / "mask.png")]
    command = ["click", str(tmp_path / "photo.png"), *out]
    assert main([*command, "--points", "10,12", "--engine", str(folders("sam2"))]) == 0
    assert np.asarray(Image.open(tmp_path / "mask.png"))[12, 10] == 255
    assert main([*command, "--text", "car", "--engine", str(folders("sam3_video"))]) == 0
    for arguments, words in [
        (["--text", "car"], "reads no text"),
        (["--text", "car", "--engine", str(folders("sam2"))], "reads no text"),
        (["--text", "car", "--points", "3,4", "--engine", str(folders("sam3_video"))], "stands alone"),
        (["--points", "3,4", "--engine", "hub:nobody"], "hub:OWNER/NAME"),
    ]:
        capsys.readouterr()
        assert main([*command, *arguments]) == 2
        assert words in capsys.readouterr().err


def test_without_transformers_the_extra_is_named(folders, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(InlayError, match=r"inlay\[pretrained\]"):
        load(folders("sam"))

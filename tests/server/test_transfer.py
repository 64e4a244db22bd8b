"""Labels come in and go out in every format; predictions wait as proposals; classes are merged and split."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

import inlay
from inlay import Classes, Dataset, InlayError, Masks, Sample, Segmentation, SegmentClass, plugins
from inlay.core.boxed import whole
from inlay.server import running
from inlay.server.settings import Settings
from inlay.server.studio import open_studio

from .conftest import draw_images, run_studio
from .talking import SIZE, add_classes, drawing, gesture, image_ids, key_of, refused, send, square

CLASSES = Classes((SegmentClass("road", "stuff", (90, 90, 90)), SegmentClass("car", "thing", (200, 0, 0))))


def boxes(*several) -> Masks:
    stack = np.zeros((len(several), *SIZE), np.bool_)
    for mask, (x0, y0, x1, y1) in zip(stack, several):
        mask[y0:y1, x0:x1] = True
    return Masks.encode(stack)


def street(**changes) -> Segmentation:
    """A road under two cars that overlap."""
    masks = boxes((0, 20, 60, 40), (5, 10, 25, 30), (20, 15, 45, 35))
    return Segmentation(
        CLASSES, masks, np.array([0, 1, 1], np.int32), np.array([0, 1, 2], np.int32), **changes
    )


def labels_file(folder, label, names=("frame0", "frame1"), to="native"):
    samples = [Sample(name, None, label) for name in names]
    inlay.write(Dataset.of(samples, CLASSES), folder, to=to, lossy=True)
    return folder


def zip_of(folder) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder))
    return buffer.getvalue()


def bring(client, studio, content, name="labels.zip", **query):
    words = "&".join(f"{key}={value}" for key, value in {"name": name, **query}.items())
    job = client.request("POST", f"/api/projects/{studio.project_id}/import?{words}", content)
    return client.wait(job)["result"]


@pytest.fixture
def desk(small_studio):
    return small_studio, small_studio.log_in()


def test_labels_that_overlap_come_in_and_go_out_whole(desk, tmp_path):
    studio, client = desk
    label = street()
    result = bring(client, studio, zip_of(labels_file(tmp_path / "labels", label)))
    assert (result["images"], result["segments"], result["failed"]) == (2, 6, 0)
    project = studio.project(client)
    first = image_ids(client, studio.project_id)[0]
    found = client.segmentation(project, first)
    assert found.is_partition
    assert found.amodal.equals(label.masks)  # nothing lost: what is covered is hidden, not gone
    assert found.masks.equals(label.flatten().masks)
    assert found.class_names == label.class_names
    row = client.request("GET", f"/api/images/{first}")
    assert (row["state"], row["revision"], row["segments"]) == ("todo", 1, 3)
    client.export_file(project, tmp_path / "out.zip", to="native")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        archive.extractall(tmp_path / "out")
    again = inlay.read(tmp_path / "out")
    assert again.names == ("frame0", "frame1")
    assert again["frame0"].label().masks.equals(found.masks)
    assert again["frame0"].label().amodal.equals(found.amodal)


@pytest.mark.parametrize("name", plugins.names("formats"))
def test_a_project_is_written_in_every_format(tmp_path_factory, name, written):
    _, client, project = written
    folder = tmp_path_factory.mktemp("out")
    try:
        result = client.export_file(project, folder / "out.zip", to=name, lossy=True)
    except InlayError as error:
        assert "needs" in str(error) or "score" in str(error) or "no " in str(error)  # in words
        return
    assert result["segments"] >= 0
    assert zipfile.is_zipfile(folder / "out.zip")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    with run_studio(draw_images(folder / "photos"), folder / "kept") as studio:
        client = studio.log_in()
        bring(client, studio, zip_of(labels_file(folder / "labels", street().flatten().replace(amodal=None))))
        yield studio, client, studio.project(client)


def test_what_a_format_cannot_hold_is_told_before_it_is_written(desk, tmp_path):
    studio, client = desk
    bring(client, studio, zip_of(labels_file(tmp_path / "labels", street())))
    project = studio.project(client)
    with pytest.raises(InlayError, match=r"label_png does not keep .*amodal") as caught:
        client.export_file(project, tmp_path / "out.zip", to="label_png")
    assert "another format" in str(caught.value) and "exports/" not in str(caught.value)
    result = client.export_file(project, tmp_path / "out.zip", to="label_png", lossy=True)
    assert any("amodal" in loss for loss in result["lost"])
    refused(422, client.request, "POST", f"/api/projects/{studio.project_id}/export", {"format": "cocoo"})


def test_predictions_wait_behind_what_people_drew(desk, tmp_path):
    studio, client = desk
    (car,) = add_classes(client, studio.project_id, "car")
    image = image_ids(client, studio.project_id)[0]
    client.document(image)
    send(client, image, 0, gesture(drawing(1, car, square(20, 15))))
    label = street(score=np.array([0.9, 0.8, 0.7]))
    result = bring(
        client, studio, zip_of(labels_file(tmp_path / "p", label)), **{"as": "predictions", "model": "unet"}
    )
    assert result["segments"] == 6
    document = client.document(image)
    states = [(segment["state"], segment["source"], segment["score"]) for segment in document["segments"]]
    assert states == [
        ("proposed", "model:unet", 0.9),
        ("proposed", "model:unet", 0.8),
        ("proposed", "model:unet", 0.7),
        ("final", "hand", None),
    ]
    assert document["segments"][-1]["visible"] == square(20, 15)
    assert client.request("GET", f"/api/images/{image}")["proposed"] == 3
    client.export_file(studio.project(client), tmp_path / "out.zip", to="native")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        archive.extractall(tmp_path / "out")
    assert len(inlay.read(tmp_path / "out")["frame0"].label()) == 1  # proposals are no labels yet


def test_labels_of_other_images_and_sizes_are_told(desk, tmp_path):
    studio, client = desk
    none = Segmentation(CLASSES, Masks.empty((5, 5), 1), np.zeros(1, np.int32), np.zeros(1, np.int32))
    samples = [
        Sample("frame0", None, street()),
        Sample("frame1", None, none),
        Sample("zebra", None, street()),
    ]
    inlay.write(Dataset.of(samples, CLASSES), tmp_path / "labels", to="native", lossy=True)
    result = bring(client, studio, zip_of(tmp_path / "labels"))
    assert (result["images"], result["failed"], result["without_image"]) == (1, 1, 1)
    assert result["without_image_examples"] == ["zebra"]
    assert "5x5 pixels, the image 60x40" in result["failed_examples"][0]
    job = client.request("POST", f"/api/projects/{studio.project_id}/import?name=x.zip", b"PK nonsense")
    with pytest.raises(InlayError, match="no format recognises it"):
        client.wait(job)


def test_an_image_that_somebody_draws_on_is_carried_to_the_next_frame(desk):
    studio, client = desk
    (car,) = add_classes(client, studio.project_id, "car")
    first, second, _ = image_ids(client, studio.project_id)
    for image in (first, second):
        client.document(image)
    send(client, first, 0, gesture(drawing(1, car, square(0, 0)) + drawing(2, car, square(20, 0), key_of(1))))
    send(client, second, 0, gesture(drawing(3, car, square(5, 0))))
    wanted = {"to": second, "keys": [key_of(1)]}
    carried = client.request("POST", f"/api/images/{first}/propagate", wanted)["gesture"]
    send(client, second, 1, carried)
    areas = client.segmentation(studio.project(client), second).masks.area().tolist()
    assert areas == [100, 50]
    refused(
        409, client.request, "POST", f"/api/images/{first}/propagate", {"to": second, "keys": [key_of(9)]}
    )


def test_a_merge_of_classes_is_a_gesture_in_each_image_and_is_taken_back(desk):
    studio, client = desk
    base = f"/api/projects/{studio.project_id}/classes"
    car, bus, van = add_classes(client, studio.project_id, "car", "bus", "van")
    first, second, _ = image_ids(client, studio.project_id)
    for image, class_id in ((first, car), (second, bus)):
        client.document(image)
        send(client, image, 0, gesture(drawing(1, class_id, square(0, 0))))
    before = client.document(first)
    refused(409, client.request, "POST", f"{base}/merge", {"from": [car], "into": car})
    rows = [row for row in client.request("GET", base)["classes"] if row["class_id"] != car]
    revision = client.request("GET", base)["revision"]
    match = {"If-Match": f'"{revision}"'}
    assert "merge" in refused(409, client.request, "PUT", base, {"classes": rows}, headers=match)["error"]
    job = client.wait(client.request("POST", f"{base}/merge", {"from": [car, bus], "into": van}))
    assert job["result"]["segments"] == 2
    assert [row["segments"] for row in client.request("GET", base)["classes"]] == [0, 0, 2]
    assert client.document(first)["revision"] == 2
    (change,) = client.request("GET", f"{base}/changes")
    assert (change["words"], change["undone"]) == ("car, bus became van", False)
    client.wait(client.request("POST", f"{base}/changes/{change['change_id']}/undo"))
    assert [row["segments"] for row in client.request("GET", base)["classes"]] == [1, 1, 0]
    assert {**client.document(first), "revision": 1} == before
    refused(404, client.request, "POST", f"{base}/changes/{change['change_id']}/undo")


def test_a_split_gives_some_segments_a_new_class(desk):
    studio, client = desk
    base = f"/api/projects/{studio.project_id}/classes"
    (car,) = add_classes(client, studio.project_id, "car")
    image = image_ids(client, studio.project_id)[0]
    client.document(image)
    send(client, image, 0, gesture(drawing(1, car, square(0, 0)) + drawing(2, car, square(20, 0))))
    taxi = {"name": "taxi", "kind": "thing", "colour": "#ffff00"}
    part = {"row": taxi, "segments": [{"image_id": image, "key": key_of(2)}]}
    client.wait(client.request("POST", f"{base}/split", {"class_id": car, "into": [part]}))
    found = client.segmentation(studio.project(client), image)
    assert sorted(zip(found.class_names, found.masks.area().tolist())) == [("car", 100), ("taxi", 100)]
    refused(409, client.request, "POST", f"{base}/split", {"class_id": car, "into": [part]})


def test_the_class_table_keeps_numbers_through_renames_and_tells_who_was_first(desk):
    studio, client = desk
    base = f"/api/projects/{studio.project_id}/classes"
    car, bus = add_classes(client, studio.project_id, "car", "bus")
    table = client.request("GET", base)
    rows = [{**row, "segments": None} for row in reversed(table["classes"])]
    rows[0] = {**rows[0], "name": "coach", "hotkey": "b", "new": "yields", "parent": "vehicle"}
    match = {"If-Match": f'"{table["revision"]}"'}
    after = client.request("PUT", base, {"classes": rows}, headers=match)
    assert [(row["class_id"], row["name"]) for row in after["classes"]] == [(bus, "coach"), (car, "car")]
    refused(412, client.request, "PUT", base, {"classes": rows}, headers=match)
    refused(428, client.request, "PUT", base, {"classes": rows})
    for wrong in (
        [rows[0], rows[0]],
        [rows[0], {**rows[1], "name": "coach"}],
        [{**rows[1], "hotkey": "b"}, rows[0]],
    ):
        match = {"If-Match": f'"{after["revision"]}"'}
        refused(409, client.request, "PUT", base, {"classes": wrong}, headers=match)
    refused(422, client.request, "PUT", base, {"classes": [{**rows[0], "colour": "red"}]}, headers=match)


def test_rules_judge_while_one_draws_and_mend_what_they_can(desk):
    studio, client = desk
    pytest.importorskip("polars")
    base = f"/api/projects/{studio.project_id}"
    (car,) = add_classes(client, studio.project_id, "car")
    image = image_ids(client, studio.project_id)[0]
    client.document(image)
    assert "schema" in client.request("GET", "/api/packs")
    text = """
[[rule]]
id = "small"
scope = "segment"
forbid = "area_px < 150"
severity = "error"
message = "too small: {area_px} px"
"""
    body = refused(422, client.request, "PATCH", base, {"rules": text.replace("area_px <", "size <")})
    assert body["error"].startswith("rules.toml: rule 'small'")
    client.request("PATCH", base, {"rules": text, "packs": ["schema"]})
    empty = {"op": "create", "segment": {"key": key_of(2), "class_id": car, "instance_id": 2}, "above": None}
    send(client, image, 0, gesture([*drawing(1, car, square(0, 0)), empty]))
    found = client.request("GET", f"/api/images/{image}/findings")
    assert found["revision"] == 1
    small = next(finding for finding in found["findings"] if finding["keys"] == [key_of(1)])
    assert (small["rule"], small["severity"], small["measured"]) == ("small", "error", 100)
    assert client.request("GET", f"{base}/images?finding=small")["images"][0]["findings"] == len(
        found["findings"]
    )
    rules = {finding["rule"] for finding in found["findings"]}
    offered = client.request("GET", f"{base}/broken-rules")
    assert offered == [{"rule": rule, "images": 1} for rule in sorted(rules)]
    refused(409, client.request, "POST", f"/api/images/{image}/fix", {"fingerprint": small["fingerprint"]})
    refused(404, client.request, "POST", f"/api/images/{image}/fix", {"fingerprint": "gone"})
    mendable = next(finding for finding in found["findings"] if finding["fix"])
    wanted = {"fingerprint": mendable["fingerprint"]}
    mended = client.request("POST", f"/api/images/{image}/fix", wanted)["gesture"]
    send(client, image, 1, mended)
    assert client.request("GET", f"{base}/images?finding=small")["images"] == []  # nobody looked since
    assert client.request("GET", f"{base}/broken-rules") == []
    assert [segment["key"] for segment in client.document(image)["segments"]] == [key_of(1)]
    after = client.request("GET", f"/api/images/{image}/findings")
    assert mendable["fingerprint"] not in [finding["fingerprint"] for finding in after["findings"]]


def test_without_an_engine_a_prompt_says_so(desk, monkeypatch):
    studio, client = desk
    from inlay.server import prompting

    monkeypatch.setattr(prompting, "_click", lambda: None)
    image = image_ids(client, studio.project_id)[0]
    assert client.request("GET", "/api/engines")["engines"] == []
    body = refused(503, client.request, "POST", f"/api/images/{image}/prompt", {"points": [[3, 4, True]]})
    assert "no click engine" in body["error"]


def test_an_engine_offers_masks(desk, monkeypatch):
    studio, client = desk
    from inlay.click import Candidate
    from inlay.server import prompting

    class State:
        def mask(self, *, points, box, scribble, mask):
            x, _, positive = points[0]
            assert positive
            small = Candidate((int(x) - 1, 2, 20, 30), np.zeros((28, 21 - int(x)), bool), 0.5, SIZE)
            small.inside[2:4, 1:3] = True
            return [small, Candidate((0, 0, 30, 30), np.ones((30, 30), bool), 0.8, SIZE)]

    class Engine:
        @staticmethod
        def embed(image):
            assert image.shape == (*SIZE, 3)
            return State()

    class Click:
        load = staticmethod(lambda name: Engine())

    monkeypatch.setattr(prompting, "_click", lambda: Click)
    image = image_ids(client, studio.project_id)[0]
    wanted = {"points": [[3.5, 4.2, True]], "engine": "test"}
    found = client.request("POST", f"/api/images/{image}/prompt", wanted)
    assert found["engine"] == "test"
    assert [(each["score"], each["mask"]["box"]) for each in found["candidates"]] == [
        (0.8, [0, 0, 30, 30]),
        (0.5, [3, 4, 5, 6]),
    ]


def test_an_engine_that_reads_finds_all_that_a_text_names(desk, monkeypatch):
    studio, client = desk
    from inlay.click import Candidate
    from inlay.server import prompting

    class State:
        def find(self, text):
            assert text == "a red car"
            boxes = ((0, 0, 4, 4), (10, 10, 16, 14))
            return [
                Candidate(box, np.ones((box[3] - box[1], box[2] - box[0]), bool), score, SIZE)
                for box, score in zip(boxes, (0.6, 0.9))
            ]

    class Click:
        load = staticmethod(lambda name: type("Engine", (), {"embed": staticmethod(lambda image: State())}))

    place = f"/api/images/{image_ids(client, studio.project_id)[0]}/prompt"
    assert client.request("GET", "/api/engines")["texts"] == []  # the classical engine reads nothing
    told = refused(422, client.request, "POST", place, {"text": "a red car"})
    assert told["error"].startswith("classical reads no text")
    monkeypatch.setenv("INLAY_SAM", "somewhere")
    assert client.request("GET", "/api/engines")["texts"] == ["sam"]
    monkeypatch.setattr(prompting, "_click", lambda: Click)
    found = client.request("POST", place, {"text": "a red car", "engine": "test"})["candidates"]
    assert [(each["score"], each["mask"]["box"]) for each in found] == [
        (0.9, [10, 10, 16, 14]),
        (0.6, [0, 0, 4, 4]),
    ]
    refused(422, client.request, "POST", place, {"text": "x" * 201})


def test_the_classical_engine_is_there_at_once_and_says_what_it_cannot_use(desk):
    studio, client = desk
    image = image_ids(client, studio.project_id)[0]
    engines = client.request("GET", "/api/engines")
    assert (engines["engines"][0], engines["default"]) == ("classical", "classical")
    place = f"/api/images/{image}/prompt"
    found = client.request("POST", place, {"points": [[3.5, 4.2, True], [30, 20, False]]})
    assert found["engine"] == "classical"
    mask = found["candidates"][0]["mask"]
    inside = whole([(tuple(mask["box"]), mask["runs"].encode())], SIZE).decode()[0]
    assert inside[4, 3]
    assert not inside[20, 30]
    assert client.request("POST", place, {"points": [[30, 20, True]], "mask": mask})["candidates"]
    beside = {"points": [[3, 4, False]]}
    assert "where the segment is" in refused(422, client.request, "POST", place, beside)["error"]
    outside = {"points": [[5000, 4, True]]}
    assert "outside the image" in refused(422, client.request, "POST", place, outside)["error"]
    magic = {"points": [[3, 4, True]], "engine": "magic"}
    assert "classical" in refused(422, client.request, "POST", place, magic)["error"]


def test_the_command_reads_labels_once(tmp_path):
    images = draw_images(tmp_path / "photos")
    labels = labels_file(tmp_path / "labels", street())
    studio = open_studio(Settings(tmp_path / "kept", roots=(str(images),)))
    try:
        project_id, owner = running.prepare(studio, str(images))
        steps = []
        words = running.read_once(
            studio, project_id, owner, labels, "labels", lambda *step: steps.append(step)
        )
        assert words.endswith("6 segments in 2 images")
        assert [step[:2] for step in steps] == [(1, 2), (2, 2)]
        again = running.read_once(studio, project_id, owner, labels, "labels", lambda *step: None)
        assert again.endswith("read before; nothing new")
        assert running.prepare(studio, str(images)) == (project_id, owner)
        with pytest.raises(InlayError, match="no such file"):
            running.read_once(studio, project_id, owner, tmp_path / "none.json", "labels", lambda *step: None)
    finally:
        studio.close()


def test_images_come_from_a_store_as_well(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    store = fsspec.filesystem("memory")
    for file in draw_images(tmp_path / "photos").iterdir():
        store.pipe(f"/bucket/deep/{file.name}", file.read_bytes())
    studio = open_studio(Settings(tmp_path / "kept", roots=("memory://bucket",)))
    studio.close()
    with run_studio("memory://bucket", tmp_path / "kept") as found:
        client = found.log_in()
        assert [row["name"] for row in client.images({"project_id": found.project_id})] == [
            f"deep/frame{number}" for number in range(3)
        ]
        image = image_ids(client, found.project_id)[0]
        assert client.document(image)["size"] == [60, 40]
        assert client.request("GET", f"/api/images/{image}/pixels?side=128", raw=True)[:3] == b"\x89PN"
        refused(
            403, client.request, "POST", "/api/projects", {"name": "x", "folder": "memory://bucket/../other"}
        )
        refused(403, client.request, "POST", "/api/projects", {"name": "x", "folder": "memory://bucketeer"})
        client.request("POST", "/api/projects", {"name": "deep", "folder": "memory://bucket/deep"})
        found.studio.workers.wait()
    store.rm("/bucket", recursive=True)

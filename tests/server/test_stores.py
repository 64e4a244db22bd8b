"""Images in a store: a bucket that answers as Amazon's do, and is asked what S3 is asked."""

from __future__ import annotations

import gc

import pytest

from inlay.core.errors import InlayError
from inlay.server.folders import RemoteFolder
from inlay.server.refusals import Refused

from .conftest import draw_images, run_studio
from .talking import add_classes, drawing, gesture, image_ids, refused, send, square

boto3 = pytest.importorskip("boto3")
pytest.importorskip("s3fs")
servers = pytest.importorskip("moto.server")
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # boto's own connections


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    """A bucket with three images below `photos/deep`, and what to ask it with."""
    server = servers.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    store = boto3.client("s3")
    store.create_bucket(Bucket="ours")
    for file in draw_images(tmp_path / "drawn").iterdir():
        store.upload_file(str(file), "ours", f"photos/deep/{file.name}")
    store.put_object(Bucket="ours", Key="photos/readme.txt", Body=b"no image")
    store.put_object(Bucket="ours", Key="photos/.hidden/frame9.png", Body=b"hidden")
    store.put_object(Bucket="ours", Key="secret/frame8.png", Body=b"not in the folder")
    yield store
    import fsspec
    import s3fs

    for each in s3fs.S3FileSystem._cache.values():
        fsspec.asyn.sync(each.loop, each._s3.close, timeout=20)
    s3fs.S3FileSystem.clear_instance_cache()
    store.close()
    server.stop()
    gc.collect()


def test_images_of_a_bucket_are_listed_labelled_and_shown(bucket, tmp_path):
    with run_studio("s3://ours/photos", tmp_path / "kept") as studio:
        client = studio.log_in()
        names = [row["name"] for row in client.images({"project_id": studio.project_id})]
        assert names == [f"deep/frame{number}" for number in range(3)]
        image = image_ids(client, studio.project_id)[0]
        assert client.document(image)["size"] == [60, 40]
        shown = client.request("GET", f"/api/images/{image}/pixels", raw=True)
        assert shown == (tmp_path / "drawn" / "frame0.png").read_bytes()
        (car,) = add_classes(client, studio.project_id, "car")
        send(client, image, 0, gesture(drawing(1, car, square(0, 0))))
        job = client.request("POST", f"/api/projects/{studio.project_id}/export", {"format": "coco"})
        assert client.wait(job)["state"] == "done"


def test_an_image_is_fetched_once_and_one_that_has_gone_is_told(bucket, tmp_path):
    with run_studio("s3://ours/photos", tmp_path / "kept") as studio:
        client = studio.log_in()
        first, second, _ = image_ids(client, studio.project_id)
        client.document(first)
        bucket.delete_object(Bucket="ours", Key="photos/deep/frame0.png")
        bucket.delete_object(Bucket="ours", Key="photos/deep/frame1.png")
        assert client.request("GET", f"/api/images/{first}/pixels", raw=True)
        assert "no longer in its store" in refused(404, client.document, second)["error"]


def test_new_images_of_a_bucket_are_found(bucket, tmp_path):
    with run_studio("s3://ours/photos", tmp_path / "kept") as studio:
        client = studio.log_in()
        bucket.upload_file(str(tmp_path / "drawn" / "frame0.png"), "ours", "photos/later.png")
        client.request("POST", f"/api/projects/{studio.project_id}/scan")
        studio.studio.workers.wait()
        assert "later" in {row["name"] for row in client.images({"project_id": studio.project_id})}


def test_projects_stay_in_the_folder_of_the_bucket_that_was_named(bucket, tmp_path):
    with run_studio("s3://ours/photos", tmp_path / "kept", roots=("s3://ours/photos",)) as studio:
        client = studio.log_in()
        for place in ("s3://ours/secret", "s3://ours/photos/../secret", "s3://theirs/photos", "s3://ours"):
            refused(403, client.request, "POST", "/api/projects", {"name": "x", "folder": place})
        refused(404, client.request, "GET", "/api/images/999/pixels")


def test_a_bucket_that_is_not_there_is_told_in_a_line(bucket, tmp_path):
    folder = RemoteFolder("s3://nobodys/photos", tmp_path / "cache")
    with pytest.raises(InlayError, match="s3://nobodys/photos"):
        list(folder.listed())
    with pytest.raises(InlayError, match="s3://nobodys/photos"):
        folder.see()
    with pytest.raises(Refused, match="no longer in its store"):
        folder.local("frame0.png")
    with run_studio("s3://ours/photos", tmp_path / "kept", roots=("s3://ours/",)) as studio:
        body = {"name": "typo", "folder": "s3://ours/fotos"}
        told = refused(422, studio.log_in().request, "POST", "/api/projects", body)
        assert "there is no such folder" in told["error"]


def test_a_store_that_is_away_is_told_and_tried_again(bucket, tmp_path, monkeypatch):
    import s3fs

    away, fetch = [True], s3fs.S3FileSystem._get_file

    async def sometimes(self, *arguments, **options):
        if away:
            raise ConnectionError("the line is cut")
        await fetch(self, *arguments, **options)

    monkeypatch.setattr(s3fs.S3FileSystem, "_get_file", sometimes)
    with run_studio("s3://ours/photos", tmp_path / "kept") as studio:
        client = studio.log_in()
        image = image_ids(client, studio.project_id)[0]
        assert "cannot be fetched" in refused(502, client.document, image)["error"]
        away.clear()
        assert client.document(image)["size"] == [60, 40]

"""What files and requests of bad will come to nothing."""

from __future__ import annotations

import ast
import http.client
import io
import json
import socket
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from inlay.core.errors import FormatError
from inlay.server.archives import unpack
from inlay.server.decoder import SHOWN_AS_THEY_ARE
from inlay.server.guards import DEPTH
from inlay.server.openapi import document
from inlay.server.pictures import KINDS

from .conftest import draw_images, run_studio
from .process import Server
from .talking import image_ids, refused


def talk(studio, method, path, body=None, **headers):
    """A plain request; status, headers and body of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", studio.studio.settings.port, timeout=30)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), content


def test_every_answer_carries_the_headers_that_keep_scripts_out(small_studio):
    for path in ("/", "/api/session", "/api/nothing", "/../../etc/passwd", "/x.svg"):
        _, headers, _ = talk(small_studio, "GET", path)
        assert headers["x-content-type-options"] == "nosniff"
        policy = headers["content-security-policy"]
        assert "unsafe-eval" not in policy
        assert "unsafe-inline" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "server" not in headers


def test_the_pages_are_served_from_their_folder_alone(small_studio):
    for path in (
        "/../settings.py",
        "/%2e%2e/settings.py",
        "/..%2fsettings.py",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
    ):
        status, _, content = talk(small_studio, "GET", path)
        assert status in (200, 404, 503)
        assert b"Settings" not in content
        assert b"root:" not in content


def test_a_page_that_plays_the_studio_is_refused_by_its_name(small_studio):
    for name in ("evil.example", "127.0.0.1.evil.example", "evil.example:8008", ""):
        assert talk(small_studio, "GET", "/api/session", Host=name)[0] == 421
    assert talk(small_studio, "GET", "/api/session", Host="localhost:1")[0] == 401


def test_another_sites_page_cannot_log_anybody_in(small_studio):
    body = json.dumps({"token": "x"})
    kind = {"Content_Type": "application/json"}
    assert talk(small_studio, "POST", "/api/session", body, Sec_Fetch_Site="cross-site", **kind)[0] == 403
    assert talk(small_studio, "POST", "/api/session", body, Sec_Fetch_Site="same-origin", **kind)[0] == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(small_studio):
    from inlay.server.running import link

    token = link(small_studio.studio, small_studio.owner).split("#")[1]
    kind = {"Content_Type": "application/json"}
    _, headers, content = talk(small_studio, "POST", "/api/session", json.dumps({"token": token}), **kind)
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert cookie.split("=")[1].split(";")[0] not in content.decode()


def test_long_deep_and_broken_bodies_are_refused(images, tmp_path):
    with run_studio(images, tmp_path / "kept", max_body=100_000) as studio:
        client = studio.log_in()
        path = f"/api/images/{image_ids(client, studio.project_id)[0]}/gestures"
        match = {"If-Match": '"0"'}
        refused(413, client.request, "POST", path, {"x": "y" * 200_000}, headers=match)
        deep = json.loads("[" * (DEPTH + 1) + "]" * (DEPTH + 1))
        assert "nested" in refused(400, client.request, "POST", path, deep, headers=match)["error"]
        kind = {"Content_Type": "application/json"}
        bomb = "[" * 50_000
        assert talk(studio, "POST", "/api/session", bomb, **kind)[0] == 400
        assert talk(studio, "POST", "/api/session", '{"token": "[[[[[[' + "[" * 60 + '"}', **kind)[0] == 401
        for broken in (b"\xff\xfe", b"{", b"null", b"[]", b'{"gestures": 3}', b'{"gestures": [], "x": 1}'):
            assert talk(studio, "POST", "/api/session", broken, **kind)[0] == 422
        assert talk(studio, "POST", "/api/session", b"x" * 5, Content_Length="999999999999")[0] == 413
        refused(
            422,
            client.request,
            "POST",
            path,
            {"gestures": [{"id": "x", "kind": "brush", "ops": []}]},
            headers=match,
        )


def test_errors_are_one_line_that_repeats_no_markup(small_studio):
    client = small_studio.log_in()
    evil = "<img src=x onerror=alert(1)>"
    status, headers, content = talk(small_studio, "GET", f"/api/{evil.replace(' ', '%20')}")
    assert (status, headers["content-type"]) == (404, "application/json")
    assert b"onerror" not in content
    body = refused(404, client.request, "GET", "/api/projects/%3Cscript%3E")
    assert "script" not in body["error"]


def test_no_route_fetches_an_address():
    text = json.dumps(json.loads(document())["components"]["schemas"])
    assert '"url"' not in text.lower()
    assert '"uri"' not in text.lower()


def add_image(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)


def test_what_is_no_picture_is_never_served(tmp_path):
    images = draw_images(tmp_path / "photos", 1)
    page = b"<html><script>alert(1)</script></html>"
    add_image(images, "page.png", page)
    add_image(
        images, "drawing.jpg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    )
    add_image(images, "drawing.svg", b"<svg/>")
    add_image(images, "empty.png", b"")
    with run_studio(images, tmp_path / "kept") as studio:
        client = studio.log_in()
        found = {
            image["name"]: image["image_id"] for image in client.images({"project_id": studio.project_id})
        }
        assert set(found) == {"frame0", "page", "drawing", "empty"}
        for name in ("page", "drawing", "empty"):
            for path in ("pixels", "pixels?side=64", "document"):
                words = refused(422, client.request, "GET", f"/api/images/{found[name]}/{path}")["error"]
                assert str(tmp_path) not in words


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def test_an_svg_is_never_served_as_an_image_nor_inline(tmp_path):
    """Neither one in the folder, by its own name or another, nor one that somebody uploads."""
    images = draw_images(tmp_path / "photos", 1)
    for name in ("own.svg", "packed.svgz", "a.png", "b.jpg", "c.webp", "d.gif", "e.tif"):
        add_image(images, name, SVG)
    with run_studio(images, tmp_path / "kept") as studio:
        client = studio.log_in()
        cookie = client.__dict__["_cookie"]
        found = {
            image["name"]: image["image_id"] for image in client.images({"project_id": studio.project_id})
        }
        assert {"own", "packed"}.isdisjoint(found) and {"a", "b", "c"} <= set(found)
        job = client.request("POST", f"/api/projects/{studio.project_id}/import?name=up.svg", SVG)
        with pytest.raises(Exception, match="no format recognises it"):
            client.wait(job)
        paths = [f"/api/images/{image}/{what}" for image in found.values() for what in ("pixels", "document")]
        paths += ["/own.svg", "/a.png", "/photos/own.svg", f"/api/jobs/{job['job_id']}/file"]
        for path in paths:
            _, headers, content = talk(studio, "GET", path, Cookie=cookie)
            assert "svg" not in headers.get("content-type", ""), path
            assert b"<svg" not in content and b"alert(1)" not in content, path
            assert headers["x-content-type-options"] == "nosniff"
    assert not any("svg" in kind for kind in (*KINDS, *SHOWN_AS_THEY_ARE.values()))


def test_pictures_come_as_attachments_of_a_type_we_decided(tmp_path):
    images = tmp_path / "photos"
    images.mkdir()
    pixels = np.zeros((30, 50, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    add_image(images, "polyglot.png", buffer.getvalue() + b"<script>alert(1)</script>")
    with run_studio(images, tmp_path / "kept") as studio:
        client = studio.log_in()
        image = image_ids(client, studio.project_id)[0]
        cookie = client.__dict__["_cookie"]
        status, headers, _ = talk(studio, "GET", f"/api/images/{image}/pixels", Cookie=cookie)
        assert (status, headers["content-type"]) == (200, "image/jpeg")
        assert headers["content-disposition"].startswith("attachment")
        again = talk(
            studio, "GET", f"/api/images/{image}/pixels", Cookie=cookie, If_None_Match=headers["etag"]
        )
        assert again[0] == 304


def test_a_picture_bomb_is_refused_before_it_is_decoded(tmp_path):
    images = tmp_path / "photos"
    images.mkdir()
    buffer = io.BytesIO()
    Image.new("1", (3000, 3000)).save(buffer, "PNG")
    add_image(images, "bomb.png", buffer.getvalue())
    with run_studio(images, tmp_path / "kept", max_pixels=1_000_000) as studio:
        client = studio.log_in()
        image = image_ids(client, studio.project_id)[0]
        for path in ("document", "pixels", "pixels?side=128"):
            assert "limit" in refused(422, client.request, "GET", f"/api/images/{image}/{path}")["error"]


def test_a_decoder_that_hangs_is_ended_and_the_next_picture_comes(small_studio, tmp_path):
    decoders = small_studio.studio.decoders
    with decoders._one() as decoder:
        answer = decoder.ask({"source": "/dev/zero/x", "target": "", "side": None, "pixels": 1}, 5.0)
        assert "error" in answer
        started = time.monotonic()
        stuck = decoder.ask({"source": str(tmp_path / "pipe"), "target": "", "side": None, "pixels": 1}, 5.0)
        assert "error" in stuck
        assert decoder.alive
    import os

    os.mkfifo(tmp_path / "pipe.png")  # opening it waits for a writer that never comes
    with decoders._one() as decoder:
        request = {"source": str(tmp_path / "pipe.png"), "target": "", "side": None, "pixels": 1}
        assert "tile it first" in decoder.ask(request, 1.0)["error"]
        assert not decoder.alive
    assert time.monotonic() - started < 60
    client = small_studio.log_in()
    image = image_ids(client, small_studio.project_id)[0]
    assert client.request("GET", f"/api/images/{image}/pixels?side=64", raw=True)


def test_a_decoder_has_little_memory_if_told_so(tmp_path):
    file = tmp_path / "large.png"
    Image.new("RGB", (6000, 6000)).save(file)
    process = subprocess.Popen(
        [sys.executable, "-m", "inlay.server.decoder", str(400 << 20)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    request = {"source": str(file), "target": str(tmp_path / "out"), "side": 64, "pixels": 10**9}
    out, _ = process.communicate(json.dumps(request).encode() + b"\n", timeout=60)
    assert b"error" in out or out == b""


def test_links_that_leave_the_folder_are_not_followed(tmp_path):
    images = draw_images(tmp_path / "photos", 1)
    outside = draw_images(tmp_path / "outside", 1)
    (images / "stolen.png").symlink_to(outside / "frame0.png")
    (images / "elsewhere").symlink_to(outside)
    (images / "mine.png").symlink_to(images / "frame0.png")
    with run_studio(images, tmp_path / "kept") as studio:
        client = studio.log_in()
        found = {
            image["name"]: image["image_id"] for image in client.images({"project_id": studio.project_id})
        }
        assert set(found) == {"frame0", "mine"}
        (images / "mine.png").unlink()
        (images / "mine.png").symlink_to(outside / "frame0.png")  # changed after it was listed
        refused(404, client.request, "GET", f"/api/images/{found['mine']}/pixels")


def zipped(path: Path, *members: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def special_member(name: str, kind: int) -> zipfile.ZipInfo:
    """A member that is no file: a link, a device, a pipe or a socket."""
    member = zipfile.ZipInfo(name)
    member.external_attr = (kind | 0o777) << 16
    return member


@pytest.mark.parametrize(
    "member",
    [
        ("../out.txt", b"x"),
        ("a/../../out.txt", b"x"),
        ("/tmp-out.txt", b"x"),
        ("C:out.txt", b"x"),
        ("a\\..\\..\\out.txt", b"x"),
        (special_member("link", stat.S_IFLNK), b"/etc/passwd"),
        (special_member("character-device", stat.S_IFCHR), b""),
        (special_member("block-device", stat.S_IFBLK), b""),
        (special_member("pipe", stat.S_IFIFO), b""),
        (special_member("socket", stat.S_IFSOCK), b""),
        ("bomb.json", b"\0" * (20 << 20)),
    ],
    ids=lambda member: getattr(member[0], "filename", member[0]),
)
def test_an_archive_that_reaches_out_is_refused(tmp_path, member):
    archive = zipped(tmp_path / "labels.zip", ("fine.txt", b"x"), member)
    folder = tmp_path / "in" / "folder"
    folder.mkdir(parents=True)
    with pytest.raises(FormatError, match="entry"):
        unpack(archive, folder, most_bytes=1 << 30, most_entries=10)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] in (
        ["labels.zip", "fine.txt"],
        ["labels.zip"],
    )


def test_an_archive_is_refused_for_its_size_and_count_whatever_its_header_says(tmp_path):
    archive = zipped(tmp_path / "a.zip", *((f"{number}.bin", bytes(range(256)) * 16) for number in range(9)))
    (tmp_path / "x").mkdir()
    with pytest.raises(FormatError, match="9 entries"):
        unpack(archive, tmp_path / "x", most_bytes=1 << 30, most_entries=8)
    (tmp_path / "y").mkdir()
    with pytest.raises(FormatError, match="more than the studio takes"):
        unpack(archive, tmp_path / "y", most_bytes=20_000, most_entries=100)
    (tmp_path / "z").mkdir()
    (tmp_path / "broken.zip").write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(FormatError, match="cannot be unpacked"):
        unpack(tmp_path / "broken.zip", tmp_path / "z", most_bytes=1 << 30, most_entries=100)


def test_uploads_are_capped_and_leave_nothing_behind(images, tmp_path):
    with run_studio(images, tmp_path / "kept", max_upload=1000, heavy=2) as studio:
        client = studio.log_in()
        path = f"/api/projects/{studio.project_id}/import?name=../../x.json"
        refused(413, client.request, "POST", path, b"x" * 2000)
        refused(422, client.request, "POST", path, b"")
        job = client.request("POST", path, b"no labels")
        with pytest.raises(Exception, match=r"x\.json: no format recognises it"):
            client.wait(job)
        assert list((tmp_path / "kept" / "uploads").iterdir()) == []
        assert not list(tmp_path.glob("*.json"))


def test_headers_without_end_are_refused_and_others_are_answered(small_studio):
    with socket.create_connection(("127.0.0.1", small_studio.studio.settings.port), 20) as flood:
        flood.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        try:
            for _ in range(64):
                flood.sendall(b"X-Flood: " + b"x" * 4096 + b"\r\n")
            answer = flood.recv(200)
        except OSError:  # closed while we were sending
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert small_studio.log_in().projects()


@pytest.mark.parametrize(
    "name, content",
    [
        (
            "labels.xml",
            b'<!DOCTYPE a [<!ENTITY b "bbb"><!ENTITY c "&b;&b;">]><annotations>&c;</annotations>',
        ),
        ("labels.json", b"[" * 100_000),
        ("labels.json", b'{"images": 1e999999}'),
        ("labels.zip", b"PK\x03\x04 no archive"),
        ("labels.png", b"\x89PNG\r\n\x1a\n no picture"),
    ],
    ids=["entities", "depth", "number", "archive", "picture"],
)
def test_a_hostile_file_fails_its_job_in_one_line(small_studio, name, content):
    client = small_studio.log_in()
    path = f"/api/projects/{small_studio.project_id}/import?name={name}"
    job = client.request("POST", path, content)
    with pytest.raises(Exception) as caught:
        client.wait(job)
    words = str(caught.value)
    assert "\n" not in words and "Traceback" not in words and "/tmp" not in words and words
    assert client.projects()


def test_nobody_floods_the_queue_of_jobs(images, tmp_path):
    with run_studio(images, tmp_path / "kept", heavy=0) as studio:
        client = studio.log_in()
        path = f"/api/projects/{studio.project_id}/export"
        refused(429, client.request, "POST", path, {"format": "coco"})


def test_filters_are_values_never_sql(small_studio):
    client = small_studio.log_in()
    path = f"/api/projects/{small_studio.project_id}/images"
    for words in ("' OR 1=1 --", "%25", "_", "frame0%27%3B%20DROP%20TABLE%20images"):
        query = words.replace(" ", "%20").replace("'", "%27")
        for name in ("q", "tag", "finding"):
            assert client.request("GET", f"{path}?{name}={query}")["images"] == []
    refused(422, client.request, "GET", f"{path}?after=nonsense")
    refused(422, client.request, "GET", f"{path}?state=gone")
    refused(422, client.request, "GET", f"{path}?limit=100000")
    assert len(client.request("GET", f"{path}?order=password")["images"]) == 3


def test_the_secret_and_the_folder_are_the_owners_alone(small_studio, tmp_path):
    folder = tmp_path / "kept"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600
    assert len((folder / "secret").read_bytes()) == 32


def test_no_pickle_is_read_anywhere_in_the_server():
    source = Path(__file__).resolve().parents[2] / "src" / "inlay" / "server"
    words = ("pickle", "eval(", "exec(", "yaml.load", "shell=True", "xml.etree")
    found = [
        (file.name, word)
        for file in source.rglob("*.py")
        for word in words
        if word in file.read_text("utf-8")
    ]
    assert found == []


READS_XML = {
    "parse",
    "fromstring",
    "fromstringlist",
    "iterparse",
    "XML",
    "XMLID",
    "XMLParser",
    "XMLPullParser",
}
READS_XML |= {"XMLPullParser", "ParserCreate", "XMLReader", "make_parser", "parseString", "pulldom", "xmlrpc"}


def xml_names(tree: ast.Module) -> set[str]:
    """What a module uses of XML libraries: modules it imports, and names of readers wherever they stand."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    libraries = {name for name in found if name.split(".")[0] in ("xml", "lxml", "bs4", "xmltodict")}
    if not libraries:
        return set()
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return libraries | {
        name for name in used | {name.split(".")[-1] for name in libraries} if name in READS_XML
    }


def test_xml_is_read_by_the_hardened_reader_alone():
    source = Path(__file__).resolve().parents[2] / "src" / "inlay"
    readers = {}
    for file in sorted(source.rglob("*.py")):
        names = xml_names(ast.parse(file.read_text("utf-8")))
        writes = {name for name in names if name.startswith("xml.etree")}
        if names - writes:
            readers[file.relative_to(source).as_posix()] = names - writes
    assert set(readers) == {"formats/parts/safe_xml.py"}
    assert {"xml.parsers.expat", "ParserCreate"} <= readers["formats/parts/safe_xml.py"]


@pytest.mark.parametrize(
    "code",
    [
        "import xml.etree.ElementTree as ET\nET.parse(path)",
        "from xml.etree.ElementTree import fromstring",
        "from xml.etree import ElementTree\nElementTree.ElementTree().parse(path)",
        "import lxml.etree",
        "from xml.dom import minidom",
        "import xml.sax",
    ],
)
def test_the_search_for_readers_of_xml_finds_them(code):
    assert any(not name.startswith("xml.etree") for name in xml_names(ast.parse(code)) - {"xml"})


def test_the_studio_answers_this_machine_alone_unless_told_otherwise(images, tmp_path):
    server = Server(images, tmp_path / "kept")
    try:
        address = urlsplit(server.link)
        assert address.hostname == "127.0.0.1"
        socket.create_connection(("127.0.0.1", address.port), 20).close()
        with pytest.raises(OSError):  # another address of this machine: open only to what listens on all
            socket.create_connection(("127.0.0.2", address.port), 5).close()
    finally:
        server.kill()

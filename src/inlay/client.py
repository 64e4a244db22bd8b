"""Client: a studio from Python, over HTTP, with what Python brings.

```python
studio = inlay.Client("http://127.0.0.1:8008/enter#...")  # or name= and password=
project = studio.project("photos")
for image in studio.images(project):
    label = studio.segmentation(image)
```
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

import numpy as np

from inlay.core.boxed import Boxed, tight, whole
from inlay.core.classes import Classes, SegmentClass
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation

Json = dict[str, Any]
ATTEMPTS = 5  # at a save that others overtake, or a connection that breaks


class StudioError(InlayError):
    """The studio refused a request; `status` is the HTTP status, `body` the answer."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(str(body.get("error", f"the studio answered {status}")))
        self.status, self.body = status, body


class Client:
    """A person logged in at a studio.

    Parameters
    ----------
    address
        The studio's address; a link (`/enter#...`) logs in by itself, once.
    name, password
        To log in without a link.
    timeout
        Seconds to wait for an answer.

    Raises
    ------
    StudioError
        When the studio does not let the person in.
    InlayError
        When there is no studio at the address.
    """

    def __init__(
        self, address: str, *, name: str | None = None, password: str | None = None, timeout: float = 60.0
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InlayError(f"{address!r} is no address of a studio: http://127.0.0.1:8008/enter#...")
        self._address = f"{parts.scheme}://{parts.netloc}"
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.netloc, timeout=timeout)
        self._cookie = ""
        self._token = ""
        login = {"token": parts.fragment} if parts.fragment else {"name": name, "password": password}
        try:
            session = self.request("POST", "/api/session", login)
        except InlayError:
            self.close()
            raise
        self._token = session["token"]
        self.user: Json = session["user"]

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: bool = False,
    ) -> Any:
        """The JSON that the studio answers; bytes with `raw`; `None` where it answers nothing.

        A `bytes` body or an open file is sent as it is, everything else as JSON.

        Raises
        ------
        StudioError
            When it refuses.
        InlayError
            When it does not answer.
        """
        sent = {"X-Inlay-Token": self._token, "Cookie": self._cookie, **(headers or {})}
        is_file = isinstance(body, bytes) or hasattr(body, "read")
        if body is not None:
            sent["Content-Type"] = "application/octet-stream" if is_file else "application/json"
        data = body if body is None or is_file else json.dumps(body).encode()
        answer, content = self._exchange(method, path, data, sent)
        cookie = answer.getheader("Set-Cookie")
        if cookie:
            self._cookie = cookie.split(";")[0]
        if answer.status >= 400:
            raise StudioError(answer.status, _refusal(content, answer.status))
        if raw:
            return content
        return json.loads(content) if content else None

    def _exchange(
        self, method: str, path: str, data: Any, sent: Mapping[str, str]
    ) -> tuple[HTTPResponse, bytes]:
        """Ask; once more when the connection had been closed meanwhile."""
        for last in (False, True):
            try:
                self._connection.request(method, path, data, dict(sent))
                answer = self._connection.getresponse()
                return answer, answer.read()
            except (OSError, HTTPException) as error:
                self._connection.close()
                if last or hasattr(data, "read"):
                    raise InlayError(f"{self._address}: no studio answers there ({error})") from None
        raise AssertionError

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def projects(self) -> list[Json]:
        """The projects one is a member of."""
        found: list[Json] = self.request("GET", "/api/projects")
        return found

    def project(self, name: str) -> Json:
        """The project of a name.

        Raises
        ------
        InlayError
            Naming those there are.
        """
        several = self.projects()
        for project in several:
            if project["name"] == name:
                return project
        known = ", ".join(project["name"] for project in several) or "none"
        raise InlayError(f"there is no project {name!r}; there are: {known}")

    def classes(self, project: Json) -> tuple[Classes, list[int]]:
        """The project's classes, and the studio's number of each."""
        rows = self.request("GET", f"/api/projects/{project['project_id']}/classes")["classes"]
        items = tuple(
            SegmentClass(row["name"], row["kind"], _colour(row["colour"]), row["parent"]) for row in rows
        )
        return Classes(items), [row["class_id"] for row in rows]

    def images(self, project: Json, **wanted: str | int) -> Iterator[Json]:
        """The project's images in order; `wanted` are filters: `state="accepted"`, `q="street"`, `tag=`."""
        after: dict[str, str] = {}
        while True:
            query = urlencode({"limit": 500, **wanted, **after})
            page = self.request("GET", f"/api/projects/{project['project_id']}/images?{query}")
            yield from page["images"]
            if page["next"] is None:
                return
            after = {"after": page["next"]}

    def document(self, image: Json | int, *, revision: int | None = None) -> Json:
        """The document of an image as the studio sends it, now or at a revision."""
        query = "" if revision is None else f"?revision={revision}"
        document: Json = self.request("GET", f"/api/images/{_id(image)}/document{query}")
        return document

    def segmentation(self, project: Json, image: Json | int) -> Segmentation:
        """The document of an image as a `Segmentation`; amodal where something is hidden."""
        classes, numbers = self.classes(project)
        document = self.document(image)
        width, height = document["size"]
        rows = document["segments"]
        masks = _masks([row["visible"] for row in rows], (height, width))
        hidden = _masks([row["hidden"] for row in rows], (height, width))
        row_of = {number: row for row, number in enumerate(numbers)}
        scores = [row["score"] for row in rows]
        return Segmentation(
            classes,
            masks,
            np.array([row_of[row["class_id"]] for row in rows], np.int32),
            np.array([row["instance_id"] for row in rows], np.int32),
            score=None if not rows or None in scores else np.array(scores, np.float64),
            crowd=np.array([row["crowd"] for row in rows], np.bool_),
            tags=tuple(frozenset(row["tags"]) for row in rows),
            amodal=masks | hidden if any(row["hidden"] for row in rows) else None,
            image_tags=frozenset(document["image_tags"]),
        )

    def save(
        self, image: Json | int, change: Callable[[Json], Sequence[Json]], *, kind: str = "script"
    ) -> int:
        """Change a document by one gesture; the new revision.

        `change` gets the document and gives the ops; where somebody else saves first it is asked again.
        """
        gesture = str(uuid.uuid4())
        for _ in range(ATTEMPTS):
            document = self.document(image)
            body = {"gestures": [{"id": gesture, "kind": kind, "ops": list(change(document))}]}
            revision = {"If-Match": f'"{document["revision"]}"'}
            try:
                path = f"/api/images/{_id(image)}/gestures"
                return int(self.request("POST", path, body, headers=revision)["revision"])
            except StudioError as error:
                if error.status != 412:
                    raise
        raise InlayError(f"others saved image {_id(image)} first, {ATTEMPTS} times: try again later")

    def import_file(
        self,
        project: Json,
        path: Path | str,
        *,
        kind: Literal["labels", "predictions"] = "labels",
        format: str | None = None,  # noqa: A002
        model: str = "",
    ) -> Json:
        """Send labels or predictions (a file, or a zipped folder) and wait; what came of it."""
        file = Path(path)
        query = {"name": file.name, "as": kind, "model": model, **({"format": format} if format else {})}
        with file.open("rb") as opened:
            size = {"Content-Length": str(file.stat().st_size)}
            url = f"/api/projects/{project['project_id']}/import?{urlencode(query, quote_via=quote)}"
            job = self.request("POST", url, opened, headers=size)
        result: Json = self.wait(job)["result"]
        return result

    def export_file(
        self, project: Json, path: Path | str, *, to: str, lossy: bool = False, **options: Any
    ) -> Json:
        """Write the project's labels in a format and fetch them as a ZIP file; what was written."""
        body = {"format": to, "lossy": lossy, **options}
        job = self.wait(self.request("POST", f"/api/projects/{project['project_id']}/export", body))
        Path(path).write_bytes(self.request("GET", f"/api/jobs/{job['job_id']}/file", raw=True))
        result: Json = job["result"]
        return result

    def timings_file(self, project: Json, path: Path | str) -> None:
        """Fetch the measured times of finished images: the CSV that `inlay advise cost --timings` reads."""
        url = f"/api/projects/{project['project_id']}/advice/timings"
        Path(path).write_bytes(self.request("GET", url, raw=True))

    def wait(self, job: Json, *, seconds: float = 3600.0) -> Json:
        """A job when it is done.

        Raises
        ------
        InlayError
            When it failed, or takes longer.
        """
        until = time.monotonic() + seconds
        pause = 0.02
        while job["state"] not in ("done", "failed"):
            if time.monotonic() > until:
                raise InlayError(f"job {job['job_id']} has not ended in {seconds:g} s")
            time.sleep(pause)
            pause = min(2 * pause, 1.0)
            job = self.request("GET", f"/api/jobs/{job['job_id']}")
        if job["state"] == "failed":
            raise InlayError(job["error"])
        return job


def mask(pixels: Masks) -> Json:
    """One mask as the studio takes it."""
    boxed = tight(pixels)[0]
    if boxed is None:
        raise InlayError("the mask is empty: leave it out")
    return {"box": list(boxed[0]), "runs": boxed[1].decode()}


def _masks(several: Sequence[Json | None], size: tuple[int, int]) -> Masks:
    some: list[Boxed] = [
        ((each["box"][0], each["box"][1], each["box"][2], each["box"][3]), each["runs"].encode())
        for each in several
        if each is not None
    ]
    decoded, places, empty = whole(some, size), iter(range(len(some))), Masks.empty(size, 1)
    return Masks.concat(
        [Masks.empty(size), *(empty if each is None else decoded[next(places)] for each in several)]
    )


def _id(image: Json | int) -> int:
    return image if isinstance(image, int) else int(image["image_id"])


def _colour(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _refusal(content: bytes, status: int) -> Json:
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"error": f"the studio answered {status}"}

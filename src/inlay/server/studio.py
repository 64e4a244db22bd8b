"""The studio: everything one server holds open, from its first request to its last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inlay.server.database import Database
from inlay.server.decoding import Decoders
from inlay.server.events import Events
from inlay.server.limits import Limit
from inlay.server.recent import Recent
from inlay.server.secret import Secret, digest
from inlay.server.settings import Settings
from inlay.server.working import Workers

if TYPE_CHECKING:
    from inlay.server.engines import Engines
    from inlay.server.judging import Judges


@dataclass
class Studio:
    """A running studio; `close` lets go of processes, threads and connections."""

    settings: Settings
    database: Database
    secret: Secret
    decoders: Decoders
    logins: Limit
    prompts: Limit
    judges: Judges
    engines: Engines
    workers: Workers = field(default_factory=Workers)
    recent: Recent = field(default_factory=Recent)
    events: Events = field(default_factory=Events)
    sized: set[int] = field(default_factory=set)  # images whose size is known
    scans: set[int] = field(default_factory=set)  # projects whose folder is being listed

    @property
    def cookie(self) -> str:
        """Name of the session cookie: of this studio, since cookies do not tell ports apart."""
        return f"inlay-{digest(self.secret.sign('cookie'))[:8]}"

    def close(self) -> None:
        """End everything; what was acknowledged is on the disk already."""
        self.events.close()
        self.workers.close()
        self.engines.close()
        self.decoders.close()
        if self.events.relay is not None:
            self.events.relay.close()
        self.database.close()


def open_studio(settings: Settings) -> Studio:
    """Open the folder of a studio, and make it where there is none."""
    from inlay.server.engines import Engines
    from inlay.server.judging import Judges

    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.url)
    studio = Studio(
        settings,
        database,
        Secret.of_folder(settings.folder),
        Decoders(settings),
        Limit(settings.logins, 60.0, "attempts to log in"),
        Limit(600, 60.0, "prompts"),
        Judges(settings.folder / "rules"),
        Engines(),
    )
    if not database.is_sqlite:
        from inlay.server.relay import Relay

        studio.events.relay = Relay(database.engine, studio.events.hear, studio.events.cut)
    return studio

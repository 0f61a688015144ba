"""Where the database is: `sqlite:///path`, a bare path, or `postgresql://…`; and whether that file system will do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from supportdesk.errors import StoreError, UsageError
from supportdesk.l10n.catalog import _

NETWORK_FILE_SYSTEMS: Final = frozenset(
    {
        "9p", "afs", "ceph", "cifs", "coda", "davfs", "fuse.davfs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs",
        "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs", "vboxsf",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """A database: `path` for SQLite, `dsn` (a libpq URI) for Postgres; the other one is empty."""

    url: str
    path: Path | None = None
    dsn: str = ""
    forced: bool = False  # `?network=force`: the user vouches for the locks of this file system

    @property
    def is_postgres(self) -> bool:
        return bool(self.dsn)

    @property
    def file(self) -> Path:
        """The SQLite file."""
        if self.path is None:
            raise UsageError(_("this needs a SQLite database, not Postgres"))
        return self.path

    @property
    def shown(self) -> str:
        """The address for messages: without a password."""
        if self.path is not None:
            return str(self.path)
        parts = urlsplit(self.dsn)
        return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


def parse_url(url: str) -> Address:
    """Read a database URL or a path. Raises UsageError."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in {"postgresql", "postgres"}:
        return Address(url, dsn=f"postgresql://{rest}")
    if not separator:
        path, query = url, ""
    elif scheme == "sqlite":
        path, _mark, query = rest.partition("?")
        if not path.startswith("/"):
            raise UsageError(_("{url}: write sqlite:///relative/path or sqlite:////absolute/path").format(url=url))
        path = unquote(path[1:])
    else:
        raise UsageError(
            _("{scheme}:// is no database that supportdesk knows").format(scheme=scheme),
            hint="sqlite:///PATH, postgresql://…",
        )
    if not path or path == ":memory:":
        raise UsageError(_("the desk needs a database file: several programs share it"))
    where = Path(path).expanduser()
    absolute = where if where.is_absolute() else Path.cwd() / where
    return Address(url, path=absolute, forced=parse_qs(query).get("network") == ["force"])


def refuse_network_file_system(address: Address) -> None:
    """SQLite's WAL needs shared memory and honest locks. Raises StoreError on a network file system."""
    if address.forced:
        return
    kind = file_system(address.file)
    if kind in NETWORK_FILE_SYSTEMS:
        raise StoreError(
            _("{file} is on a network file system ({kind}), where SQLite can lose data").format(
                file=address.file, kind=kind
            ),
            hint=_("use a local disk, or Postgres for several machines; `?network=force` in the URL overrides this"),
        )


def file_system(path: Path) -> str:
    """The type of the file system that holds the path, as the kernel names it; "" where it does not say (macOS)."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    directory = path.parent.resolve()
    best, kind = -1, ""
    for line in mounts:
        left, _dash, right = line.partition(" - ")
        point = left.split()[4].encode().decode("unicode_escape")
        if (point == "/" or directory == Path(point) or Path(point) in directory.parents) and len(point) >= best:
            best, kind = len(point), right.split()[0]
    return kind

"""Raw mail, uploads and built mail: bytes by their sha-256, in zstd chunks (desk.ports.Blobs).

Each chunk is a frame of its own over at most 256 KiB, so a part of a big mail can be read without the rest. Small
blobs are one transaction; the chunks of big ones go in groups, each in its own, and the blob's row comes last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from supportdesk.errors import NotFound, StoreError
from supportdesk.store.connect import Connection

if TYPE_CHECKING:
    from supportdesk.desk.ports import Transaction
    from supportdesk.store.sql import SqlStore
    from supportdesk.store.write.transaction import WriteTransaction

CHUNK: Final = 256 * 1024
GROUP_BYTES: Final = 1024 * 1024
LEVEL: Final = 3
PIECES: Final = "pieces"
"""The work of completing or sweeping away a blob that was begun."""


class SqlBlobs:
    """The blobs of one store."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def put(self, data: bytes, then: Callable[[Transaction, str], None] | None = None) -> str:
        """Keep the bytes, durable on return; what is there already is not written again. Returns the sha-256 in hex.

        `then` gets it in the transaction that makes them whole; what it raises rises, and the bytes are not kept.
        """
        sha = hashlib.sha256(data).hexdigest()
        with self._store.connection() as connection:
            if has_blob(connection, sha):
                if then is not None:
                    self._store.run(lambda tx: then(tx, sha))
                return sha
        frames = compress(data)
        total = len(frames)
        while len(frames) > GROUP_BYTES // CHUNK:
            some, frames = frames[: GROUP_BYTES // CHUNK], frames[GROUP_BYTES // CHUNK :]
            with self._store.transaction() as tx:
                _put_chunks(tx.connection, sha, some)

        def make_whole(tx: WriteTransaction) -> None:
            if len(frames) < total:
                tx.only_one(PIECES)  # or a sweep that sees no row yet takes the pieces that were counted here
            if len(frames) < total and _chunks(tx.connection, sha) < total - len(frames):
                _put_chunks(tx.connection, sha, compress(data))  # somebody swept the pieces away meanwhile
            put_small(tx.connection, sha, frames, len(data), tx.now)
            if then is not None:
                then(tx, sha)

        self._store.run(make_whole)
        return sha

    def sweep(self) -> int:
        """Remove the pieces that a killed `put` left behind; how many blobs they began.

        A `put` that is under way notices at its end and writes its pieces again.
        """
        orphaned = "NOT EXISTS (SELECT 1 FROM blob WHERE blob.sha256 = blob_chunk.sha256)"
        delete = f"DELETE FROM blob_chunk WHERE sha256 = ? AND {orphaned}"
        with self._store.connection() as connection:
            found = connection.execute(f"SELECT DISTINCT sha256 FROM blob_chunk WHERE {orphaned} LIMIT 100")
        for one in found:
            with self._store.transaction() as tx:
                tx.only_one(PIECES)
                tx.connection.change(delete, one)
        return len(found)

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises NotFound, or StoreError when they no longer match their sha."""
        return b"".join(self.stream(sha256))

    def stream(self, sha256: str) -> Iterator[bytes]:
        """The bytes in pieces of at most 256 KiB; a mismatch with the sha raises StoreError after the last one."""
        import zstandard

        with self._store.connection() as connection:
            found = connection.execute(
                "SELECT blob.chunks, blob_chunk.data FROM blob"
                " LEFT JOIN blob_chunk ON blob_chunk.sha256 = blob.sha256 AND blob_chunk.n = 0 WHERE blob.sha256 = ?",
                (sha256,),
            )
            if not found:
                raise NotFound(f"there is no blob {sha256}")
            digest = hashlib.sha256()
            ((chunks, frame),) = found
            for n in range(chunks):
                if n > 0:
                    rows = connection.execute("SELECT data FROM blob_chunk WHERE sha256 = ? AND n = ?", (sha256, n))
                    frame = rows[0][0] if rows else None
                try:
                    piece = zstandard.ZstdDecompressor().decompress(bytes(frame or b""), max_output_size=CHUNK)
                except zstandard.ZstdError as error:
                    raise StoreError(f"piece {n} of blob {sha256} is missing or damaged") from error
                digest.update(piece)
                yield piece
        if digest.hexdigest() != sha256:
            raise StoreError(f"blob {sha256} is damaged: its bytes have another checksum")


def compress(data: bytes) -> list[tuple[int, bytes]]:
    """The numbered zstd frames of the bytes; none for no bytes."""
    import zstandard

    compressor = zstandard.ZstdCompressor(level=LEVEL)
    return [(n, compressor.compress(data[at : at + CHUNK])) for n, at in enumerate(range(0, len(data), CHUNK))]


def _chunks(connection: Connection, sha: str) -> int:
    return int(connection.execute("SELECT count(*) FROM blob_chunk WHERE sha256 = ?", (sha,))[0][0])


def has_blob(connection: Connection, sha: str) -> bool:
    return bool(connection.execute("SELECT 1 FROM blob WHERE sha256 = ?", (sha,)))


def put_small(connection: Connection, sha: str, frames: list[tuple[int, bytes]], size: int, now: datetime) -> None:
    """Keep a small blob inside the caller's transaction."""
    _put_chunks(connection, sha, frames)
    _put_row(connection, sha, size, now)


def _put_chunks(connection: Connection, sha: str, frames: list[tuple[int, bytes]]) -> None:
    connection.change_many(
        "INSERT INTO blob_chunk (sha256, n, data) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(sha, n, frame) for n, frame in frames],
    )


def _put_row(connection: Connection, sha: str, size: int, now: datetime) -> None:
    connection.change(
        "INSERT INTO blob (sha256, size, chunks, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (sha, size, -(-size // CHUNK), now),
    )

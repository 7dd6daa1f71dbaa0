"""Whole copies of a server, every database and role in it: taken while it serves, put back in its place.

A copy is a folder with base.tar.gz and pg_wal.tar.gz, as pg_basebackup makes them. It is there whole or not at all.
"""

import shutil
from pathlib import Path

from local.gcp.postgres import ADMINISTRATOR, PORT, Access, Server
from local.gcp.postgres_programs import begin, hand_over, require

_CERTIFICATES = ("server-ca.pem", "server-cert.pem", "server-key.pem")


def take(server: Server, copy: Path) -> None:
    """Copy a serving server; nothing happens when the copy is there, and half of one is made anew."""
    if copy.exists():
        return
    partial = begin(copy)
    connection = [f"--host={server.folder / 'run'}", f"--port={PORT}", f"--username={ADMINISTRATOR}", "--no-password"]
    form = ["--format=tar", "--compress=client-gzip:1", "--wal-method=stream", "--checkpoint=fast", "--no-manifest"]
    require([server.program("pg_basebackup"), f"--pgdata={partial}", *form, *connection], user=None)
    partial.rename(copy)


def put_back(server: Server, copy: Path, access: Access) -> None:
    """Replace all that a server holds by a copy of it or of another; its certificates stay, its sessions end.

    May be run again over a half-done first.
    """
    old = server.folder / "data.old"
    if old.exists() and not server.data.exists():
        old.rename(server.data)
    new = begin(server.data)
    hand_over(new)
    for archive, folder in (("base.tar.gz", new), ("pg_wal.tar.gz", new / "pg_wal")):
        with (copy / archive).open("rb") as content:
            require(["/usr/bin/tar", "--extract", "--gzip", f"--directory={folder}"], stdin=content)
    for name in _CERTIFICATES:
        shutil.copy2(server.data / name, new / name)
        hand_over(new / name)
    server.stop()
    shutil.rmtree(old, ignore_errors=True)
    server.data.rename(old)
    new.rename(server.data)
    server.configure(access)
    server.start()
    shutil.rmtree(old)

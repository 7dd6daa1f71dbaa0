"""What pip needs to reach its registry from inside a build: this machine's own settings and certificates.

A build sees neither the environment nor the files of the machine, yet people sit behind mirrors and behind proxies
that inspect TLS. Only settings that say how to reach a registry are passed on; none of it ends in the image.
"""

import configparser
import os
from collections.abc import Iterator
from pathlib import Path

SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
IN_THE_BUILD = "/etc/pip.conf"

_SETTINGS = ("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "proxy", "timeout", "retries")
_FILES = ("cert", "client-cert")


def mounts(folder: Path) -> list[str]:
    """Write the settings to a file in `folder`, and return them as read-only volumes `source:target:ro`."""
    settings = pip_settings()
    file = folder / "pip.conf"
    file.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    words = " ".join(settings.get(name, "") for name in (*_FILES, "find-links")).split()
    paths = [path for path in map(Path, words) if path.is_absolute() and path.exists()]
    return [f"{file}:{IN_THE_BUILD}:ro", *(f"{path}:{path}:ro" for path in paths)]


def pip_settings() -> dict[str, str]:
    """Return the settings that pip would use here, in its order: files, then the environment (pip's user guide)."""
    found: dict[str, str] = {}
    for file in _configuration_files():
        parser = configparser.RawConfigParser()
        parser.read(file)
        for section in ("global", "install"):
            found |= dict(parser.items(section)) if parser.has_section(section) else {}
    found |= {
        name.removeprefix("PIP_").lower().replace("_", "-"): value
        for name, value in os.environ.items()
        if name.startswith("PIP_") and value
    }
    certificates = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or _system_certificates()
    settings = {"cert": certificates, **found}
    return {name: " ".join(settings[name].split()) for name in (*_SETTINGS, *_FILES) if settings.get(name)}


def _configuration_files() -> Iterator[Path]:
    home = Path.home()
    yield Path("/etc/xdg/pip/pip.conf")
    yield Path("/etc/pip.conf")
    yield home / ".pip/pip.conf"
    yield Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf"
    if "PIP_CONFIG_FILE" in os.environ:
        yield Path(os.environ["PIP_CONFIG_FILE"])


def _system_certificates() -> str:
    return str(SYSTEM_CERTIFICATES) if SYSTEM_CERTIFICATES.exists() else ""

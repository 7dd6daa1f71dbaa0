"""What pip needs to reach its registry, here and from inside a build of an image: this machine's own settings.

A build sees neither the environment nor the files of the machine, yet people sit behind mirrors and behind proxies
that inspect TLS. Settings that say how to reach a registry are handed over as secrets of the build, which end in no
layer and in no history of the image.
"""

import ast
import os
import shutil
from pathlib import Path

from local.command import output

SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
FILES = ("pip.conf", "certificates.pem")
IN_THE_BUILD = "/run/secrets/certificates"
"""Where images/mlflow/Dockerfile mounts the certificates."""
_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "default-timeout", "retries")


def secrets(python: Path, folder: Path) -> list[str]:
    """Write the settings and certificates to FILES in `folder`, and return the options of `docker build` for them."""
    found = settings(python)
    configuration, certificates = (folder / file for file in FILES)
    lines = [f"{name} = {found[name]}" for name in _SETTINGS if name in found]
    given = found.get("cert") or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    own = Path(given or SYSTEM_CERTIFICATES)
    if given or own.exists():
        shutil.copy(own, certificates)
        lines.append(f"cert = {IN_THE_BUILD}")
    configuration.write_text("\n".join(["[global]", *lines, ""]))
    options = [f"--secret=id=pip,src={configuration}"]
    return [*options, f"--secret=id=certificates,src={certificates}"] if certificates.exists() else options


def settings(python: Path) -> dict[str, str]:
    """Return what the pip of `python` says of its files and of the environment; what stands later has the last word."""
    order = ("global", "install", ":env:")
    found: dict[str, dict[str, str]] = {section: {} for section in order}
    for line in output([python, "-m", "pip", "config", "list"]).splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in found:
            found[section][key] = " ".join(ast.literal_eval(value).split())
    return found["global"] | found["install"] | found[":env:"]

"""Brings nginx in line with the cluster: what can be served is, what can't is told, and neither holds up the other."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from lightkube.resources.networking_v1 import Ingress

from local.errors import UserError
from local.ingress import configuration, routes
from local.ingress.configuration import Files
from local.ingress.routes import Objects, RefusedError
from local.ingress.sites import Site

REFUSED, NO_EFFECT = "NotServed", "NoEffect"
Problems = dict[str, str]


class Nginx(Protocol):
    """What is asked of nginx; see `local.ingress.server.Server`."""

    def refuses(self, content: Files) -> str | None:
        """Return why it would not take these files."""
        ...

    def take_up(self, content: Files) -> None:
        """Serve by these files from now on."""
        ...


class Cluster(Protocol):
    """What is asked of the cluster; see `local.ingress.cluster.Cluster`."""

    def objects(self) -> Objects:
        """Return what is there now."""
        ...

    def publish(self, ingress: Ingress, address: str) -> None:
        """Say in the Ingress's status where it is served."""
        ...

    def warn(self, ingress: Ingress, reason: str, message: str) -> None:
        """Tell what is wrong with an Ingress."""
        ...


class Controller:
    """Acts on what is there, whatever the change was that brought it there."""

    def __init__(self, cluster: Cluster, nginx: Nginx, address: str, pid_file: Path, late_seconds: int = 0) -> None:
        self._cluster = cluster
        self._nginx = nginx
        self._address = address
        self._pid_file = pid_file
        self._late_seconds = late_seconds
        self._wanted: str | None = None
        self._rejected: Problems = {}
        self._told: set[tuple[str, str, str]] = set()

    def reconcile(self) -> None:
        """Read the cluster, let nginx serve what it asks for, and say so there.

        Raises:
            UserError: nginx does not run, or does not take up what it accepted.
            HTTPError: the API server does not answer, or refuses.

        """
        objects = self._cluster.objects()
        ingresses = routes.own(objects.ingresses)
        sites, problems = _sites(ingresses, objects)
        problems |= self._serve(sites)
        for ingress in ingresses:
            if routes.key(ingress) not in problems and self._due(ingress):
                self._cluster.publish(ingress, self._address)
        self._tell(ingresses, problems)

    def _due(self, ingress: Ingress) -> bool:
        """Tell whether an Ingress is old enough for an address; at Google that takes minutes."""
        made = ingress.metadata and ingress.metadata.creationTimestamp
        return made is None or (datetime.now(UTC) - made).total_seconds() >= self._late_seconds

    def _files(self, sites: Sequence[Site]) -> Files:
        return configuration.files(sites, self._address, self._pid_file)

    def _serve(self, sites: Sequence[Site]) -> Problems:
        """Serve the sites that nginx accepts; return why it does not the others."""
        content = self._files(sites)
        wanted = configuration.digest(content)
        if wanted != self._wanted:
            self._rejected = self._rejections(sites) if self._nginx.refuses(content) else {}
            self._nginx.take_up(self._files([site for site in sites if site.name not in self._rejected]))
            self._wanted = wanted
        return self._rejected

    def _rejections(self, sites: Sequence[Site]) -> Problems:
        """Return why nginx refuses each site that it would not serve alone either."""
        found = {site.name: said for site in sites if (said := self._nginx.refuses(self._files([site])))}
        rest = [site for site in sites if site.name not in found]
        if said := self._nginx.refuses(self._files(rest)):
            raise UserError(f"nginx takes each Ingress by itself but not all at once: {said}")
        return found

    def _tell(self, ingresses: Sequence[Ingress], problems: Problems) -> None:
        """Tell what was not told yet; what is over is told again when it comes back."""
        now: dict[tuple[str, str, str], Callable[[], None]] = {}
        for ingress in ingresses:
            name = routes.key(ingress)
            told = [(REFUSED, problems[name])] if name in problems else []
            told += [(NO_EFFECT, f"annotation {said} has no effect here") for said in routes.without_effect(ingress)]
            for reason, message in told:
                now[name, reason, message] = lambda i=ingress, r=reason, m=message: self._cluster.warn(i, r, m)
        for entry in now.keys() - self._told:
            now[entry]()
        self._told = set(now)


def _sites(ingresses: Sequence[Ingress], objects: Objects) -> tuple[list[Site], Problems]:
    sites: list[Site] = []
    problems: Problems = {}
    for ingress in ingresses:
        try:
            sites.append(routes.site(ingress, objects))
        except RefusedError as error:
            problems[routes.key(ingress)] = str(error)
    return sites, problems

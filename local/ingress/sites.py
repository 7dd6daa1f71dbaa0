"""What nginx shall serve, without a word of Kubernetes: the common ground of reading Ingresses and writing files."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a request may take; the defaults are those of ingress-nginx.

    Attributes:
        body_size: of a request's body, as nginx writes sizes; "0" is no limit.
        request_buffering: "on" where a whole body is kept on the disk before the Service gets any of it.
        read_timeout: seconds between two reads of an answer.
        send_timeout: seconds between two writes of a request.

    """

    body_size: str = "1m"
    request_buffering: str = "on"
    read_timeout: int = 60
    send_timeout: int = 60


@dataclass(frozen=True, kw_only=True)
class Location:
    """A path of a host.

    Attributes:
        path: begins with a slash.
        exact: whether only this path is meant; else all below it are, by whole elements.
        upstream: address and port of the Service; None where there is none, which is answered with 503.
        limits: for requests to it.

    """

    path: str
    exact: bool
    upstream: str | None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """The content of a TLS Secret; `name` is a file name of its own."""

    name: str
    certificate: bytes
    key: bytes


@dataclass(frozen=True, kw_only=True)
class Site:
    """What one Ingress asks for.

    Attributes:
        name: namespace and name of the Ingress.
        hosts: the locations of each host.
        certificates: that of each host that is served over TLS, and then over nothing else.

    """

    name: str
    hosts: dict[str, list[Location]]
    certificates: dict[str, Certificate] = field(default_factory=dict[str, Certificate])

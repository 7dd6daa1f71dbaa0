"""The files that nginx reads, made of sites. Pure; every value was held against a rule when its Ingress was read."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.ingress import HTTP_PORT, HTTPS_PORT
from local.ingress.sites import Certificate, Location, Site

MAIN = "nginx.conf"
WORKERS = 2
Files = Mapping[str, bytes]

# As long as Google's load balancer does; ingress-nginx keeps them for 60 seconds.
KEPT_SECONDS = 600

_MAIN = """\
daemon off;
user www-data;
worker_processes {workers};
worker_rlimit_nofile 8192;
pid {pid_file};
error_log stderr warn;
events {{
    worker_connections 2048;
}}
http {{
    access_log off;
    server_tokens off;
    server_names_hash_bucket_size 512;
    client_body_temp_path /run/nginx-body;
    proxy_temp_path /run/nginx-proxy;
    fastcgi_temp_path /run/nginx-fastcgi;
    scgi_temp_path /run/nginx-scgi;
    uwsgi_temp_path /run/nginx-uwsgi;

    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:1m;
    ssl_session_tickets off;

    proxy_http_version 1.1;
    proxy_buffering off;
    proxy_buffer_size 32k;
    proxy_buffers 8 32k;
    proxy_connect_timeout 5s;
    proxy_next_upstream off;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Port $server_port;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Real-IP $remote_addr;

    server {{
        listen {http} default_server;
        return 404;
    }}
    server {{
        listen {https} ssl http2 default_server;
        ssl_reject_handshake on;
        return 404;
    }}
{blocks}}}
"""


def files(sites: Sequence[Site], address: str, pid_file: Path) -> Files:
    """Return the content of each file by name.

    Args:
        sites: the older ones first; where two claim the same path of a host, the first has it.
        address: where to listen.
        pid_file: where nginx notes its process id.

    """
    hosts = _hosts(sites)
    certificates = _certificates(sites)
    listen = {"http": f"{address}:{HTTP_PORT}", "https": f"{address}:{HTTPS_PORT}"}
    blocks = [_upstream(target) for target in _upstreams(hosts)]
    blocks += [_host(host, locations, certificates.get(host), **listen) for host, locations in hosts.items()]
    main = _MAIN.format(workers=WORKERS, pid_file=pid_file, blocks="".join(blocks), **listen)
    made = {MAIN: main.encode()}
    for certificate in certificates.values():
        made[f"{certificate.name}.crt"] = certificate.certificate
        made[f"{certificate.name}.key"] = certificate.key
    return made


def digest(content: Files) -> str:
    """Return a name that follows from the content of the files."""
    made = hashlib.sha256()
    for name, data in sorted(content.items()):
        made.update(f"{name}\0{len(data)}\0".encode() + data)
    return made.hexdigest()[:16]


def _hosts(sites: Sequence[Site]) -> dict[str, list[Location]]:
    merged: dict[str, list[Location]] = {}
    for site in sites:
        for host, locations in site.hosts.items():
            merged.setdefault(host, []).extend(locations)
    return merged


def _certificates(sites: Sequence[Site]) -> dict[str, Certificate]:
    merged: dict[str, Certificate] = {}
    for site in reversed(sites):
        merged.update(site.certificates)
    return merged


def _upstreams(hosts: Mapping[str, Sequence[Location]]) -> list[str]:
    found = {location.upstream for locations in hosts.values() for location in locations}
    return sorted(target for target in found if target)


def _upstream(target: str) -> str:
    return f"""
    upstream {_group(target)} {{
        server {target};
        keepalive 320;
        keepalive_timeout {KEPT_SECONDS}s;
    }}
"""


def _group(target: str) -> str:
    return "service-" + target.replace(":", "-")


def _host(host: str, locations: Sequence[Location], certificate: Certificate | None, http: str, https: str) -> str:
    body = "".join(f"        location {match} {{{_answer(at)}}}\n" for match, at in _matches(locations).items())
    if certificate is None:
        return _server(http, host, body)
    redirect = "        location / { return 308 https://$host$request_uri; }\n"
    tls = f"        ssl_certificate {certificate.name}.crt;\n        ssl_certificate_key {certificate.name}.key;\n"
    return _server(http, host, redirect) + _server(f"{https} ssl http2", host, tls + body)


def _server(listen: str, host: str, body: str) -> str:
    return f"""
    server {{
        listen {listen};
        server_name {host};
{body}    }}
"""


def _matches(locations: Sequence[Location]) -> dict[str, Location | None]:
    """Return the location of each of nginx's matches; None answers what no path of the host matches."""
    matches: dict[str, Location | None] = {}
    for location in sorted(locations, key=lambda location: not location.exact):
        for match in _patterns(location):
            matches.setdefault(match, location)
    matches.setdefault("/", None)
    return matches


def _patterns(location: Location) -> list[str]:
    if location.exact:
        return [f"= {location.path}"]
    path = location.path.rstrip("/")
    return [f"= {path}", f"{path}/"] if path else ["/"]


def _answer(location: Location | None) -> str:
    if location is None or location.upstream is None:
        return f" return {404 if location is None else 503}; "
    limits = {
        "client_max_body_size": location.limits.body_size,
        "proxy_request_buffering": location.limits.request_buffering,
        "proxy_read_timeout": f"{location.limits.read_timeout}s",
        "proxy_send_timeout": f"{location.limits.send_timeout}s",
        "proxy_pass": f"http://{_group(location.upstream)}",
    }
    lines = "".join(f"\n            {name} {value};" for name, value in limits.items())
    return f"{lines}\n        "

"""Starts, stops and removes the single-node Kubernetes of an instance.

Owns the order of things and what "ready" and "gone" mean. A stop is to the cluster what switching a machine off is: all
processes end, what is on disk stays, and the next start brings every pod back.
"""

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from local.cache import key_of, locked
from local.errors import UserError
from local.ingress import program as ingress
from local.instance import Instance
from local.node import (
    addons,
    certificates,
    cgroups,
    components,
    configuration,
    host,
    images,
    metrics_server,
    mounts,
    network,
    ready,
    sweep,
)
from local.node.layout import METRICS_SERVER, PROGRAMS, Layout
from local.process import Daemon, wait_for
from local.progress import step


@dataclass(frozen=True, kw_only=True)
class Status:
    """What runs of a node: each program's process id (None: it does not run) and log, and whether the node is Ready."""

    pids: dict[str, int | None]
    logs: dict[str, Path]
    ready: bool


def kubeconfig(instance: Instance) -> Path:
    """Return the administrator's kubeconfig; it exists (mode 0600) once the node was up."""
    return Layout(instance).kubeconfig


def status(instance: Instance) -> Status:
    """Look at what runs."""
    layout = Layout(instance)
    programs = _programs(layout)
    pids = {name: program.pid() for name, program in programs.items()}
    logs = {name: program.log for name, program in programs.items()}
    return Status(pids=pids, logs=logs, ready=None not in pids.values() and ready.node(layout))


def up(instance: Instance, binaries: Path, image_archives: Mapping[str, Path]) -> None:
    """Start the node, or what is missing of it, and wait until it and its DNS are ready.

    Args:
        instance: whose node.
        binaries: the folder that `local.node.binaries.build` returns.
        image_archives: archives of the images that pods will use, by name; another content goes by another name.

    Raises:
        UserError: this machine can't run it, or something did not get ready in time; names the log.

    """
    host.check()
    layout = Layout(instance)
    layout.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(_lock(instance), "node: waiting for another start or stop of it to end …"):
        version = key_of(Path(__file__).parent, ingress.FOLDER, str(binaries))
        _end_other(layout, version)
        with step("node: starting Kubernetes"):
            _start(layout, binaries, image_archives)
        _note(instance).write_text(version)


def down(instance: Instance) -> None:
    """Stop the node and remove its processes, mounts, control groups and network; what is on disk stays.

    Raises:
        UserError: something is left; names it.

    """
    if not instance.state.exists() and not network.leftovers(instance):
        return
    with locked(_lock(instance), "node: waiting for another start or stop of it to end …"):
        _halt(Layout(instance))
        network.down(instance)
        sweep.require_gone(instance)


def purge(instance: Instance) -> None:
    """Stop the node and remove everything that it has on disk as well."""
    down(instance)
    layout = Layout(instance)
    if layout.folder.exists():
        shutil.rmtree(layout.folder)
    logs = [program.log for program in _programs(layout).values()]
    for file in (*logs, _note(instance), _lock(instance)):
        file.unlink(missing_ok=True)
    for folder in (instance.run_dir, instance.log_dir, instance.state):
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()


def _lock(instance: Instance) -> Path:
    return instance.run_dir / "node.lock"


def _note(instance: Instance) -> Path:
    """Return the file that says of what version the running programs are; it is there once a start went well."""
    return instance.run_dir / "node.version"


def _programs(layout: Layout) -> dict[str, Daemon]:
    """Return all programs, the holder of the mount namespace first, to look at or to stop."""
    holder = mounts.holder(layout.instance, {})
    return {holder.name: holder, **components.daemons(layout, None)}


def _end_other(layout: Layout, wanted: str) -> None:
    """End what another version started, what outlived the mount namespace's holder, or a start that did not get far."""
    note = _note(layout.instance)
    holder = mounts.holder(layout.instance, {})
    if not holder.running() or not note.exists() or note.read_text() != wanted:
        _halt(layout)
    note.unlink(missing_ok=True)


def _start(layout: Layout, binaries: Path, image_archives: Mapping[str, Path]) -> None:
    instance = layout.instance
    network.up(instance)
    cgroups.create(instance)
    certificates.ensure(layout)
    configuration.write(layout)
    ingress.prepare(layout.ingress, instance.node_address)
    holder = mounts.holder(instance, {PROGRAMS: binaries, METRICS_SERVER: metrics_server.build()})
    switched_on = ready.LONG_AGO if holder.running() else ready.now()
    holder.start()
    holder_pid = holder.pid() or 0
    _await(lambda: mounts.ready(holder_pid), "the node's mounts", holder)
    programs = components.daemons(layout, holder_pid)
    for name in components.FIRST:
        programs[name].start()
    _await(lambda: ready.containerd(layout), "containerd", programs["containerd"])
    images.ensure(layout, images.own(binaries))
    with ThreadPoolExecutor(max_workers=1) as aside:
        imported = aside.submit(images.ensure, layout, image_archives)
        _start_rest(layout, binaries, programs, switched_on)
        imported.result()


def _start_rest(layout: Layout, binaries: Path, programs: dict[str, Daemon], switched_on: datetime) -> None:
    """Start what needs the API server, and wait until all is ready."""
    _await(lambda: ready.api_server(layout), "the API server", programs["kube-apiserver"])
    kubelet_started = ready.LONG_AGO if programs["kubelet"].running() else ready.now()
    for name in components.SECOND:
        programs[name].start()
    addons.start(layout, binaries, programs)

    _await(lambda: ready.node(layout, kubelet_started), "the node to be Ready", programs["kubelet"])
    _await(lambda: ready.proxy(layout), "kube-proxy", programs["kube-proxy"])
    _await(lambda: ready.default_account(layout), "the default account", programs["kube-controller-manager"])
    _await(lambda: ready.dns(layout, switched_on), "the cluster's DNS", programs["kubelet"])
    _await(lambda: ready.metrics(layout), "metrics-server", programs["metrics-server"])
    _await(lambda: ready.ingress(layout), "nginx", programs["nginx"])
    programs["ingress"].start()  # last: nothing waits for it, and its start would hold up the others'


def _await(condition: Callable[[], bool], what: str, program: Daemon, deadline: float = 90) -> None:
    """Wait for `condition`, but no longer than the program lives that has to bring it about."""

    def met() -> bool:
        if condition():
            return True
        if not program.running():
            raise UserError(f"{program.name} ended while the start waited for {what}; its log is {program.log}")
        return False

    wait_for(met, what=what, deadline=deadline, log=program.log)


def _halt(layout: Layout) -> None:
    """End all processes: the kubelet first, so that it restarts nothing; those with a database may close it."""
    programs = _programs(layout)
    known = [pid for program in programs.values() if (pid := program.pid()) is not None]
    spaces = sweep.namespaces(layout.instance, known)
    programs["kubelet"].stop(timeout=5)
    programs["kube-apiserver"].stop(timeout=0)  # keeps nothing of its own, and would hold up etcd
    programs["etcd"].stop(timeout=5)
    programs["containerd"].stop(timeout=5)
    sweep.end_all(layout.instance, spaces)
    for program in programs.values():
        program.stop()

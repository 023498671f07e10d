"""A computer beside the system under test: another network namespace, joined to it by a cable."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, TypeVar

from .container import Container
from .guest import Result

T = TypeVar("T")

#: The addresses of this end and of the container's end of the cable.
HERE, THERE = "10.99.0.1", "10.99.0.2"


class Outside:
    """The other end: its own addresses, an ssh client, and servers that remember what they are told.

    The container's end is `host0`; systemd-networkd in the container gives it THERE.
    """

    def __init__(self, container: Container) -> None:
        self.container = container
        # A network namespace belongs to a thread: what this one opens or starts is outside.
        self.thread = ThreadPoolExecutor(1, initializer=os.unshare, initargs=(os.CLONE_NEWNET,))
        self.servers: list[ThreadingHTTPServer] = []
        self.clients: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.kill()
        for server in self.servers:
            server.shutdown()
            server.server_close()
        self.thread.shutdown()

    def do(self, what: Callable[[], T]) -> T:
        """Does it outside."""
        return self.thread.submit(what).result()

    def prepare(self) -> None:
        """Once, in the running container: the network's configuration, and a key that opens it."""
        self.container.sh(f"""
            mkdir -p /etc/systemd/network /root/.ssh
            printf '[Match]\\nName=host0\\n[Network]\\nAddress={THERE}/24\\nLinkLocalAddressing=no\\n' \
                >/etc/systemd/network/10-host0.network
            systemctl enable -q systemd-networkd.service systemd-resolved.service
            useradd --create-home admin
            ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/story
            for home in /root /home/admin; do
                install -d -m700 $home/.ssh && cat /root/.ssh/story.pub >>$home/.ssh/authorized_keys
            done
            chown -R admin /home/admin/.ssh
        """)

    def plug(self) -> None:
        """Connects the cable; after every start of the container."""
        leader = str(self.container.notify.leader)
        self.do(lambda: self._ip("link", "add", "out0", "type", "veth", "peer", "name", "host0"))
        self.do(lambda: self._ip("link", "set", "host0", "netns", leader))
        self.do(lambda: self._ip("address", "add", f"{HERE}/24", "dev", "out0"))
        self.do(lambda: self._ip("link", "set", "out0", "up"))

    @staticmethod
    def _ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True)

    def _ssh(self, user: str, command: str) -> subprocess.Popen[bytes]:
        root = str(self.container.root)
        # The image's own client, but nothing of its running system except the files.
        client = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", 'mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"',
             root, "ssh", "-q", "-i", "/root/.ssh/story", "-o", "BatchMode=yes",
             "-o", "ConnectTimeout=5", "-o", "StrictHostKeyChecking=no",
             "-o", "UserKnownHostsFile=/dev/null", f"{user}@{THERE}", command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        self.clients.append(client)
        return client

    def login(self, user: str = "root", command: str = "cat") -> subprocess.Popen[bytes]:
        """An open connection; `cat` gives back what is written to it."""
        return self.do(lambda: self._ssh(user, command))

    def ssh(self, command: str, user: str = "root", timeout: float = 30) -> Result:
        """One command over ssh."""
        client = self.login(user, command)
        out, err = client.communicate(timeout=timeout)
        return Result(client.returncode, out, err)

    def server(self, port: int, codes: list[int], hang: bool = False, tls: bool = False) -> list[dict[str, Any]]:
        """A web server that answers with these codes in turn, then with the last; with `hang`, never.

        What it is told is in the list that is returned, JSON bodies parsed. With `tls`, its
        certificate is the container's /var/lib/tls/server.pem.
        """
        told: list[dict[str, Any]] = []
        over = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told.append({"path": self.path, "type": self.headers["Content-Type"],
                             "at": time.monotonic(), "body": json.loads(body)})
                if hang:
                    over.wait(60)
                    return
                self.send_response(codes[min(len(told), len(codes)) - 1])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = self.do(lambda: ThreadingHTTPServer((HERE, port), Handler))
        server.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.container.root / "var/lib/tls/server.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True)
        self.servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return told

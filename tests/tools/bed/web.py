"""A web server on the test's own side: what a machine reaches as 10.0.2.2."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType


@dataclass
class Answer:
    """One answer; with a `location` a redirection."""

    body: str = ""
    status: int = 200
    kind: str = "text/plain"
    location: str = ""


class Web:
    """Answers by path: with the same answer each time, or the next of several, the last of them for ever.
    With a `certificate`, a file with its key and itself, over TLS."""

    def __init__(
        self, paths: Mapping[str, str | Answer | Sequence[Answer]], certificate: Path | None = None
    ) -> None:
        self.asked: list[str] = []
        self._left: dict[str, list[Answer]] = {}
        for path, answers in paths.items():
            self.add(path, answers)
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append(self.path)
                answers = web._left.get(self.path, [Answer(status=404)])
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.kind)
                self.send_header("Content-Length", str(len(answer.body.encode())))
                if answer.location:
                    self.send_header("Location", answer.location)
                self.end_headers()
                self.wfile.write(answer.body.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.scheme = "http"
        if certificate:
            self.scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # Who does not trust it hangs up in the handshake: that is the thread's of that client.
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def add(self, path: str, answers: str | Answer | Sequence[Answer]) -> None:
        """Some pages name the server itself, whose port is known only when it is there."""
        if isinstance(answers, str):
            answers = Answer(answers)
        self._left[path] = [answers] if isinstance(answers, Answer) else list(answers)

    @property
    def url(self) -> str:
        """Its address, as the machine has it (QEMU's user network)."""
        return f"{self.scheme}://10.0.2.2:{self.server.server_address[1]}"

    def __enter__(self) -> Web:
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.server.shutdown()
        self.server.server_close()

"""The server of the page, for this machine alone."""

import ipaddress
import socket
import sys
import threading
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from keras_deeplab.demo.demo import Demo
from keras_deeplab.demo.demo_handler import DemoHandler

_HERE = ("localhost", "127.0.0.1", "::1")
_EVERYWHERE = ("", "0.0.0.0", "::")
# Of a photo that is being segmented when the server ends.
_LAST_SECONDS = 10.0
# Photos that are held at once, the one that is being segmented among them.
_SEATS = 4


class DemoServer(ThreadingHTTPServer):
    """Serves the page and its one question: what is where in a photo?

    Requests that name another host than the one served are refused: a page from
    elsewhere, whose name was made to point here, learns nothing. Few photos are held at
    once; more are refused, to be sent again. To close the server ends the demo.

    Args:
        demo: What answers.
        host: The address to listen on. That of another machine's network lets others
            in.
        port: The port; 0 for a free one.

    Raises:
        OSError: If the address or the port cannot be had.
    """

    daemon_threads = True

    def __init__(self, demo: Demo, host: str = "127.0.0.1", port: int = 0) -> None:
        self.demo = demo
        #: One is taken while a photo is read and segmented.
        self.seats = threading.BoundedSemaphore(_SEATS)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._host = host
        super().__init__((host, port), DemoHandler)

    @property
    def url(self) -> str:
        """Where the page is."""
        host = "127.0.0.1" if self._host in _EVERYWHERE else self._host
        name = f"[{host}]" if ":" in host else host
        return f"http://{name}:{self.server_address[1]}/"

    def serves(self, name: str) -> bool:
        """Whether a host of this name is this server.

        Args:
            name: The name, or the address, without a port: it may be another one where
                a tunnel leads here.

        Returns:
            Whether a request to it is answered.
        """
        if self._host in _EVERYWHERE:
            return name in (*_HERE, socket.gethostname().lower()) or _is_address(name)
        return name in (*_HERE, self._host.lower())

    def server_bind(self) -> None:
        # Not that of `HTTPServer`, which asks the network for the host's full name.
        TCPServer.server_bind(self)

    def server_close(self) -> None:
        super().server_close()
        # Whatever computes when the interpreter ends would crash it.
        self.demo.end(_LAST_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A page that was closed or reloaded does not wait for its answer.
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

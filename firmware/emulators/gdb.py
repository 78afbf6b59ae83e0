# SPDX-License-Identifier: Apache-2.0
"""A client of the GDB remote serial protocol, as much as a run with breakpoints needs.

Source: "Debugging with GDB", appendix "GDB Remote Serial Protocol".
"""

from __future__ import annotations

import socket
import subprocess
import time

from dyncp.base.errors import ToolchainError

CHUNK = 512
"""Bytes of memory in one packet: every server takes as many."""
START_S = 60.0
"""How long a server may take to open its port."""


class Gdb:
    """A stopped target of 32-bit registers. Every method raises ToolchainError for a server that fails or is late."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""
        # QEMU serves single registers to those only who have asked which there are.
        self._request("qXfer:features:read:target.xml:0,ffb")

    def break_at(self, address: int, size: int) -> None:
        """Stop before the instruction of `size` bytes at `address`."""
        self._expect_ok(f"Z1,{address:x},{size}")

    def resume(self) -> str:
        """Run until the target stops; returns the server's reason, T05… or S05 for a breakpoint."""
        return self._ask("c")

    def read_register(self, number: int) -> int:
        return int.from_bytes(bytes.fromhex(self._ask(f"p{number:x}")), "little")

    def write_register(self, number: int, value: int) -> None:
        self._expect_ok(f"P{number:x}={value.to_bytes(4, 'little').hex()}")

    def read_memory(self, address: int, size: int) -> bytes:
        parts = range(0, size, CHUNK)
        texts = (self._ask(f"m{address + at:x},{min(CHUNK, size - at):x}") for at in parts)
        return b"".join(bytes.fromhex(text) for text in texts)

    def write_memory(self, address: int, data: bytes) -> None:
        for at in range(0, len(data), CHUNK):
            part = data[at : at + CHUNK]
            self._expect_ok(f"M{address + at:x},{len(part):x}:{part.hex()}")

    def _expect_ok(self, request: str) -> None:
        answer = self._request(request)
        if answer != "OK":
            raise ToolchainError(f"gdb server: answered {answer!r} to {request[:40]!r}")

    def _ask(self, request: str) -> str:
        answer = self._request(request)
        if not answer or answer.startswith("E"):
            raise ToolchainError(f"gdb server: answered {answer!r} to {request[:40]!r}")
        return answer

    def _request(self, request: str) -> str:
        packet = request.encode()
        try:
            self._connection.sendall(b"$" + packet + b"#" + f"{sum(packet) % 256:02x}".encode())
            return self._packet().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise ToolchainError(f"gdb server: {error} after {request[:40]!r}") from None

    def _packet(self) -> bytes:
        """The next packet, acknowledged; acknowledgements of our own requests are skipped."""
        while True:
            begin, end = self._received.find(b"$"), self._received.find(b"#")
            if 0 <= begin < end and len(self._received) >= end + 3:
                packet, self._received = self._received[begin + 1 : end], self._received[end + 3 :]
                self._connection.sendall(b"+")
                return packet
            more = self._connection.recv(1 << 16)
            if not more:
                raise OSError("connection closed")
            self._received += more


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def connect(port: int, server: subprocess.Popen[bytes]) -> socket.socket:
    """A connection to the GDB server that `server` is about to open. Raises ToolchainError where it does not."""
    deadline = time.monotonic() + START_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=START_S)
        except OSError:
            time.sleep(0.05)
    raise ToolchainError(f"gdb server: does not answer at port {port}")

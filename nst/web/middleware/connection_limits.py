"""Time limits of connections. They work below ASGI, which sees a request only when its headers are complete.

A connection that sends nothing, or too slowly, is closed: without limits a client could hold any number of them.
"""

import asyncio
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 15.0  # for the headers of a request, from its first byte or from the opening of the connection
BODY_SECONDS = 30.0  # for a body, to which its bytes over BODY_RATE are added; also the longest pause between two bytes
BODY_RATE = 16_000  # bytes per second
ANSWERED_SECONDS = 10.0  # for the rest of a body whose request was answered before it had come
UNREAD_SECONDS = 300.0  # in which a client must take some bytes of an answer, once it has stopped the server's writing
ANSWERED = "the rest of a body after the answer"


class _PoliteTransport:
    """A transport that is closed, if a body is still being sent, once the client has closed its side or the time is up.

    Bytes that nobody has read would make the system reset the connection, and the client lose the answer.
    """

    def __init__(self, transport: asyncio.Transport, protocol: "LimitedProtocol") -> None:
        self._transport, self._protocol = transport, protocol
        self.drains = False  # the answer was sent, and what comes is dropped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self.drains or self._transport.is_closing()

    def close(self) -> None:
        """Close the side of the server now, and the client's at once or later; at the second call at once."""
        is_sent = self._protocol.conn.their_state is not h11.SEND_BODY
        if is_sent or self.is_closing() or not self._transport.can_write_eof():
            self._transport.close()
            return
        self.drains = True
        self._transport.write_eof()
        self._protocol.flow.resume_reading()
        self._protocol.await_end()


class LimitedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with these limits."""

    header_seconds, body_seconds, body_rate = HEADER_SECONDS, BODY_SECONDS, BODY_RATE
    answered_seconds, unread_seconds = ANSWERED_SECONDS, UNREAD_SECONDS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._part: object = None  # that is awaited: h11.IDLE for headers, h11.SEND_BODY, ANSWERED, or None
        self._began = self._last = 0.0  # when the part began and when its last bytes came, by the event loop's clock
        self._received = 0  # bytes of the part
        self._unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for headers."""
        self._polite = _PoliteTransport(transport, self)
        super().connection_made(cast(asyncio.Transport, self._polite))
        self._note(0)

    def data_received(self, data: bytes) -> None:
        """Handle received bytes."""
        if not self._polite.drains:
            super().data_received(data)
            self._note(len(data))

    def await_end(self) -> None:
        """Begin to wait for the rest of a body after the last answer."""
        self._note(0, last=True)

    def handle_events(self) -> None:
        """Handle what has been received, also the next request once one is answered."""
        super().handle_events()
        if self.conn.their_state is not h11.IDLE or self.conn.trailing_data[0]:  # else the connection is kept alive
            self._note(0)

    def pause_writing(self) -> None:
        """Begin to wait for the client to read."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """Stop waiting for the client to read."""
        super().resume_writing()
        self._stop_unread()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop()
        self._stop_unread()
        super().connection_lost(exc)

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing: any request could fill the log."""

    def _note(self, received: int, last: bool = False) -> None:
        """Wait for the part of a request that the client has to send now; `received` bytes have just come.

        `last` says that its answer was the last one of the connection.
        """
        self._last = self.loop.time()
        part = ANSWERED if last else self._awaited()
        if part is self._part:
            self._received += received
            return
        self._stop()
        if part and (last or not self.transport.is_closing()):
            self._part, self._began, self._received = part, self._last, received
            self._timer = self.loop.call_at(self._deadline(), self._check)

    def _awaited(self) -> object:
        """The part that the client has to send now, None if it is the server's turn."""
        if self.conn.their_state is h11.SEND_BODY:
            return ANSWERED if self.conn.our_state is h11.DONE else h11.SEND_BODY
        return h11.IDLE if self.conn.their_state is h11.IDLE else None

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._part = None

    def _deadline(self) -> float:
        """When the connection is closed if no further byte comes."""
        if self._part is h11.IDLE:
            return self._began + self.header_seconds
        if self._part is ANSWERED:
            return self._began + self.answered_seconds
        return min(self._last, self._began + self._received / self.body_rate) + self.body_seconds

    def _check(self) -> None:
        """Close the connection if the deadline has passed."""
        now = self.loop.time()
        if self.flow.read_paused:  # the server does not read, as the application is slower than the client
            self._last, self._began = now, now - self._received / self.body_rate
        if now < self._deadline():
            self._timer = self.loop.call_at(self._deadline(), self._check)
        else:
            self.transport.abort()

    def _await_reader(self) -> None:
        """Close the connection unless some bytes of what waits to be sent are gone after a while."""
        waiting = self.transport.get_write_buffer_size()

        def check() -> None:
            if self.transport.get_write_buffer_size() < waiting:
                self._await_reader()
            else:
                self.transport.abort()

        self._unread_timer = self.loop.call_later(self.unread_seconds, check)

    def _stop_unread(self) -> None:
        if self._unread_timer:
            self._unread_timer.cancel()
        self._unread_timer = None

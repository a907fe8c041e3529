"""The server's end of a WebSocket against the Autobahn cases (RFC 6455), by kosoku."""

import asyncio
import json
from contextlib import asynccontextmanager

from uvicorn.server import ServerState

from realtime.serve.server import Config
from realtime.websocket.frames import Frames, Opcode, frame
from realtime.websocket.protocol import WebSocketProtocol

CASES = 247
# How fast large messages are is no matter here; compression is not offered.
OTHERS = [word for group in ("9.*", "12.*", "13.*") for word in ("--exclude", group)]
AS_REQUIRED = {"OK", "NON-STRICT", "INFORMATIONAL"}


async def application(scope, receive, send):
    """Serve nothing: all requests are WebSocket handshakes."""


class Echo(WebSocketProtocol):
    """Sends back every message."""

    def connect(self, scope):
        return self

    def on_text(self, text):
        self.write(Frames(text))

    def on_bytes(self, data):
        self.tcp.write(frame(Opcode.BINARY, data))

    def on_data(self):
        pass

    def on_write_buffer_full(self):
        pass

    def on_close(self, code):
        pass


@asynccontextmanager
async def serving():
    config, state = Config(application), ServerState()
    config.load()
    config.ws_protocol_class = Echo
    config.ws_max_size = 2**25  # some cases are of 16 MB
    loop = asyncio.get_running_loop()
    async with await loop.create_server(
        lambda: config.http_protocol_class(config, state, {}), "127.0.0.1", 0
    ) as server:
        yield server.sockets[0].getsockname()[1]


def test_server_passes_every_autobahn_case(tmp_path):
    asyncio.run(drive(tmp_path))
    (cases,) = json.loads((tmp_path / "index.json").read_text()).values()
    verdicts = {number: (case["behavior"], case["behaviorClose"]) for number, case in cases.items()}
    assert not {number: verdict for number, verdict in verdicts.items() if not set(verdict) <= AS_REQUIRED}
    assert len(verdicts) == CASES


async def drive(report):
    """Have kosoku, in a process of its own (it brings a stand-in for a library of ours), write its report there."""
    async with serving() as port:
        words = ["kosoku", "--parallelism", "4", *OTHERS, "--outdir", str(report), f"127.0.0.1:{port}"]
        process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.DEVNULL)
        await process.wait()

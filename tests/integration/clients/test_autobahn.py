"""The server's end of a WebSocket against the Autobahn cases (RFC 6455), by kosoku."""

import asyncio
import json
from contextlib import asynccontextmanager

from uvicorn.server import ServerState

from realtime.serve.server import Config
from realtime.websocket.frames import Frames
from realtime.websocket.transport import EXTENSION

CASES = 247
# How fast large messages are is no matter here; compression is not offered.
OTHERS = [word for group in ("9.*", "12.*", "13.*") for word in ("--exclude", group)]
AS_REQUIRED = {"OK", "NON-STRICT", "INFORMATIONAL"}


async def echo(scope, receive, send):
    """Send back what comes: text as the hub writes it, bytes by ASGI."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") is not None:
            scope["extensions"][EXTENSION].write(Frames(message["text"]).ready)
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})


@asynccontextmanager
async def serving():
    config, state = Config(echo), ServerState()
    config.load()
    config.ws_max_size = 2**25  # some cases are of 16 MB
    loop = asyncio.get_running_loop()
    async with await loop.create_server(
        lambda: config.http_protocol_class(config, state, {}), "127.0.0.1", 0
    ) as server:
        yield server.sockets[0].getsockname()[1]


def test_a_socket_behaves_as_the_standard_says_in_every_case(tmp_path):
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

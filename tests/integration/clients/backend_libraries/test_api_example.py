"""The program of docs/api.md, as it stands there, follows a ticket live."""

import json
import re
import subprocess
import sys
from urllib.request import Request, urlopen

from tests.support.servers import instances


def post(server, path, body, token):
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = Request(f"{server.url}/api/v1/{path}", json.dumps(body).encode(), headers)
    with urlopen(request, timeout=60) as response:
        return json.load(response)


def test_documented_program_prints_past_and_live_replies(desk, daphne, tmp_path):
    (tmp_path / "follow.py").write_text(
        re.search(r"```python\n(.*?)```", (instances.TOP / "docs/api.md").read_text(), re.DOTALL)[1]
    )
    casey, bao = desk.tokens["casey"], desk.tokens["bao"]
    replies = f"tickets/{desk.ticket}/replies/"
    post(daphne, replies, {"message": "Before the program"}, casey)
    command = [sys.executable, str(tmp_path / "follow.py"), daphne.url, bao, desk.ticket]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        lines = iter(program.stdout.readline, "")
        assert next(lines) == "Charged twice - Open\n"
        assert "Casey Rivers wrote: Before the program\n" in lines
        post(daphne, replies, {"message": "While it listens"}, casey)
        post(daphne, replies, {"message": "A note", "is_internal": True}, bao)
        assert [next(lines), next(lines)] == [
            "Casey Rivers writes: While it listens\n",
            "Bao Nguyen writes: A note\n",
        ]
        program.terminate()

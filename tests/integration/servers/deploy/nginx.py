"""nginx with a configuration of deploy/, whose names, ports and paths are those of a test."""

import os
import re
import shutil
import socket
import subprocess
from contextlib import closing

from tests.support.servers.instances import TOP, Instance, free_port

PROGRAM = shutil.which("nginx") or "/usr/sbin/nginx"
MAIN = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    types {{ text/css css; }}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/tikm.conf;
}}
"""


class Nginx(Instance):
    """Runs in the foreground on a port of its own."""

    def __init__(self, folder, name, *, certificate, upstreams, static, files="/srv/tikm/var/files"):
        self.port = free_port()
        text = (TOP / "deploy/nginx" / name).read_text()
        changes = {
            "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
            "listen 80;": f"listen 127.0.0.1:{free_port()};",
            "desk.example.com": "localhost",
            "/etc/ssl/tikm/fullchain.pem": certificate[0],
            "/etc/ssl/tikm/privkey.pem": certificate[1],
            "/srv/tikm/staticfiles/": f"{static}/",
            "/srv/tikm/var/files/": f"{files}/",
        }
        for upstream, port in upstreams.items():
            changes[f"server {upstream};"] = f"server 127.0.0.1:{port};"
        for before, after in changes.items():
            assert before in text, f"deploy/nginx/{name} has no {before!r}."
            text = text.replace(before, after)
        (folder / "tikm.conf").write_text(text)
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
        self.words = [PROGRAM, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
        super().__init__(self.words, folder)
        self.url = f"https://localhost:{self.port}"

    def check(self):
        """Return what `nginx -t` says."""
        return subprocess.run([*self.words, "-t"], capture_output=True, text=True, check=False).stderr

    def answers(self):
        with closing(socket.socket()) as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


def upstreams_of(name):
    """Return the upstream servers that a configuration names."""
    return re.findall(r"^\s+server (127\.0\.0\.1:\d+);", (TOP / "deploy/nginx" / name).read_text(), re.MULTILINE)

"""A server as installations meet it: gives the answer file, keeps what is reported.

usage: server.py ANSWER REPORTS PORT-FILE
Listens on a free port of 127.0.0.1, whose number PORT-FILE gets; REPORTS gets a JSON document a line.
"""

import http.server
import sys
from pathlib import Path

answer, reports, port_file = (Path(name) for name in sys.argv[1:])


class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/answer.toml":
            self.reply(200, answer.read_bytes())
        else:
            self.reply(404)

    def do_POST(self):
        said = self.rfile.read(int(self.headers["Content-Length"]))
        with reports.open("ab") as kept:
            kept.write(b" ".join(said.split(b"\n")) + b"\n")
        self.reply(204)

    def log_message(self, format, *arguments):  # noqa: A002 - the base class calls it so
        pass


with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
    port_file.write_text(f"{server.server_port}\n", encoding="ascii")
    server.serve_forever()

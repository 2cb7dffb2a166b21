"""A person at a serial console: waits for words on the screen, types, keeps each screen.

usage: person.py SOCKET SCREENS SECONDS < SCRIPT
Each line of SCRIPT is WAIT-FOR<tab>KEYS, both with Python's escapes (\\r, \\x1b). SCREENS gets what was seen up to each word.
"""

import re
import socket
import sys
import time


def unescaped(text):
    return text.encode().decode("unicode_escape").encode("latin-1")


def plain(screen):
    """The last whole screen as text: ECMA-48 sequences are for terminals."""
    newest = screen[max(screen.rfind(b"\x1b[H"), 0):]
    return re.sub(rb"\x1b\[[0-9;?]*[@-~]", b"", newest).replace(b"\r", b"").decode(errors="replace")


def receive(console):
    """What came within a second; nothing when the screen is at rest."""
    try:
        piece = console.recv(65536)
    except TimeoutError:
        return b""
    if not piece:
        raise EOFError
    return piece


def read_until(console, wanted, end):
    """Everything up to the word and the rest of the screen that it stands on."""
    seen = b""
    while wanted not in seen:
        if time.monotonic() > end:
            sys.exit(f"not seen: {wanted.decode()}\n{plain(seen)}")
        seen += receive(console)
    rest = time.monotonic() + 2  # a menu that counts seconds down is never at rest
    while time.monotonic() < rest and (piece := receive(console)):
        seen += piece
    return seen


def main():
    path, screens, seconds = sys.argv[1:]
    end = time.monotonic() + float(seconds)
    console = socket.socket(socket.AF_UNIX)
    console.connect(path)
    console.settimeout(1)
    with open(screens, "w", encoding="utf-8") as kept:
        for line in sys.stdin:
            wanted, keys = line.rstrip("\n").split("\t")
            try:
                seen = read_until(console, unescaped(wanted), end)
            except EOFError:
                sys.exit(f"the machine ended before: {wanted}")
            kept.write(f"--- {wanted}\n{plain(seen)}\n")
            kept.flush()
            # Slower than a person pastes: a serial port has a buffer of its own.
            for key in re.findall(rb"\x1b\[.|.", unescaped(keys), re.DOTALL):
                console.sendall(key)
                time.sleep(0.02)


if __name__ == "__main__":
    main()

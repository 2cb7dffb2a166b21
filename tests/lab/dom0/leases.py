"""Says each DHCP lease that passes any of this host's network devices: "ADDRESS MAC" a line (RFC 2131, RFC 2132)."""

import socket
import struct

ETH_P_ALL, IPV4, UDP, SERVER, CLIENT = 3, 0x0800, 17, 67, 68
MESSAGE_TYPE, ACK = 53, 5


def option(options, wanted):
    """The value of the option with that number; None where there is none."""
    at = 0
    while at + 1 < len(options) and options[at] != 255:
        if options[at] == 0:  # padding
            at += 1
            continue
        if options[at] == wanted:
            return options[at + 2:at + 2 + options[at + 1]]
        at += 2 + options[at + 1]
    return None


def lease(frame):
    """(address, MAC) of a frame that is a server's acknowledgement."""
    if len(frame) < 14 + 20 + 8 + 240 or struct.unpack_from("!H", frame, 12)[0] != IPV4 or frame[23] != UDP:
        return None
    udp = 14 + (frame[14] & 15) * 4
    bootp = udp + 8
    if struct.unpack_from("!HH", frame, udp) != (SERVER, CLIENT) or option(frame[bootp + 240:], MESSAGE_TYPE) != bytes([ACK]):
        return None
    return socket.inet_ntoa(frame[bootp + 16:bootp + 20]), frame[bootp + 28:bootp + 34].hex(":")


with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as wire:
    while True:
        seen = lease(wire.recv(65535))
        if seen:
            print(*seen, flush=True)

# SPDX-License-Identifier: Apache-2.0
"""Enough of ttrpc and of the Task API to drive a shim from tests, well or badly.

As a program: ttrpc.py ADDRESS SERVICE.METHOD [FIELD=VALUE]...  (a number is a varint, anything else a
string; `xHEX` bytes). Prints the answer's fields as "NUMBER VALUE"; an error goes to stderr, status 1.
"""
import os
import socket
import struct
import sys
import time

TASK = "containerd.task.v2.Task"
OWN = "cellar.shim.v1.Supervisor"


def varint(n):
    out = b""
    while True:
        low, n = n & 127, n >> 7
        out += bytes([low | (128 if n else 0)])
        if not n:
            return out


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(**fields):
    """message(_1="id", _2=5)"""
    return b"".join(field(int(k[1:]), v) for k, v in fields.items())


def parse(data):
    fields, at = [], 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        tag = number()
        if tag & 7 == 0:
            fields.append((tag >> 3, number()))
        elif tag & 7 == 2:
            size = number()
            fields.append((tag >> 3, data[at : at + size]))
            at += size
        else:
            raise ValueError("unknown wire type")
    return fields


def frame(stream, payload, kind=1):
    return struct.pack(">IIBB", len(payload), stream, kind, 0) + payload


def request(service, method, payload=b"", timeout_ns=0):
    data = field(1, service) + field(2, method) + field(3, payload)
    return data + (field(4, timeout_ns) if timeout_ns else b"")


def connect(address, timeout):
    """Also by a path that is longer than an address may be."""
    folder, name = os.path.split(address.removeprefix("unix://"))
    dirfd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    end = time.monotonic() + timeout
    try:
        while True:
            try:
                s.connect(f"/proc/self/fd/{dirfd}/{name}")
                return s
            except BlockingIOError:  # its queue is full
                if time.monotonic() > end:
                    raise
                time.sleep(0.001)
    finally:
        os.close(dirfd)


class Client:
    def __init__(self, address, timeout=60):
        self.socket = connect(address, timeout)
        self.stream = -1

    def send(self, service, method, payload=b"", timeout_ns=0):
        self.stream += 2
        self.socket.sendall(frame(self.stream, request(service, method, payload, timeout_ns)))
        return self.stream

    def exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise ConnectionResetError("the shim has closed the connection")
            data += more
        return data

    def receive(self):
        """(stream, code, sentence, fields of the payload)"""
        size, stream, _, _ = struct.unpack(">IIBB", self.exactly(10))
        answer = dict(parse(self.exactly(size)))
        status = dict(parse(answer.get(1, b"")))
        return stream, status.get(1, 0), status.get(2, b"").decode(), parse(answer.get(2, b""))

    def call(self, service, method, payload=b"", timeout_ns=0):
        stream = self.send(service, method, payload, timeout_ns)
        while True:
            got = self.receive()
            if got[0] == stream:
                return got[1:]


def main():
    service, _, method = sys.argv[2].rpartition(".")
    service = {"": TASK, "Task": TASK, "Supervisor": OWN}.get(service, service)
    payload = b""
    for word in sys.argv[3:]:
        number, _, value = word.partition("=")
        if value.isdigit():
            payload += field(int(number), int(value))
        elif value.startswith("x"):
            payload += field(int(number), bytes.fromhex(value[1:]))
        else:
            payload += field(int(number), value)
    code, sentence, fields = Client(sys.argv[1]).call(service, method, payload)
    if code:
        sys.exit(f"{code} {sentence}")
    for number, value in fields:
        print(number, value.decode(errors="replace") if isinstance(value, bytes) else value)


if __name__ == "__main__":
    main()

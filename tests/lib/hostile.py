# SPDX-License-Identifier: Apache-2.0
"""hostile.py ADDRESS ID SHIM_PID ATTACK: attacks a shim, and asks it well-behaved questions meanwhile.

Prints the longest time that such a question took, and the shim's peak memory. The status is 0 when all
questions were answered.
"""
import os
import resource
import struct
import sys
import time

import ttrpc

address, name, shim, attack = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_NOFILE, (2048, max(2048, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
state = ttrpc.request(ttrpc.TASK, "State", ttrpc.message(_1=name))
wait = ttrpc.request(ttrpc.TASK, "Wait", ttrpc.message(_1=name))
peak, longest = 0, 0.0


def look():
    """A good client comes, asks and goes."""
    global peak, longest
    start = time.monotonic()
    code, sentence, _ = ttrpc.Client(address).call(ttrpc.TASK, "State", ttrpc.message(_1=name))
    longest = max(longest, time.monotonic() - start)
    if code:
        sys.exit(f"State: {code} {sentence}")
    with open(f"/proc/{shim}/status", encoding="ascii") as f:
        peak = max(peak, *(int(line.split()[1]) for line in f if line.startswith("VmRSS")))


def bad():
    return ttrpc.connect(address, 20)


def push(s, data):
    """As much of it as the shim takes."""
    try:
        s.sendall(data)
        return True
    except (ConnectionError, TimeoutError):
        return False


def stand_by(ready, end):
    """The one that was there before all others, as containerd would be: a process of its own."""
    client = ttrpc.Client(address)
    client.send(ttrpc.TASK, "Wait", ttrpc.message(_1=name))
    os.write(ready, b"x")
    os.read(end, 1)
    os._exit(client.call(ttrpc.TASK, "State", ttrpc.message(_1=name))[0])


ready, last = os.pipe(), os.pipe()
old = os.fork()
if not old:
    os.close(last[1])
    try:
        stand_by(ready[1], last[0])
    finally:
        os._exit(1)
os.read(ready[0], 1)
held = []
if attack == "garbage":
    for seed in range(200):
        s = bad()
        push(s, os.urandom(64 + seed * 37))
        held.append(s)
        if seed % 20 == 0:
            look()
elif attack == "giant":
    for size in (4 << 20) + 1, 1 << 31, (1 << 32) - 1:
        s = bad()
        push(s, struct.pack(">IIBB", size, 1, 1, 0) + bytes(1 << 16))
        held.append(s)
        look()
    for _ in range(20):
        s = bad()
        push(s, ttrpc.frame(1, bytes(4 << 20)))
        held.append(s)
        look()
elif attack == "half":
    for i in range(40):
        s = bad()
        push(s, ttrpc.frame(1, bytes(4 << 20))[: (4 << 20) - i])
        held.append(s)
        look()
elif attack == "stall":
    whole = ttrpc.frame(1, state)
    for i in range(100):
        s = bad()
        push(s, whole[: 1 + i % (len(whole) - 1)])
        held.append(s)
    look()
    # They do not stay for ever.
    for s in held:
        try:
            if s.recv(1) != b"":
                sys.exit("half a frame was answered")
        except ConnectionResetError:
            pass
elif attack == "streams":
    s = bad()
    for i in range(10000):
        if not push(s, ttrpc.frame(2 * i + 1, wait)):
            break
        if i % 1000 == 0:
            look()
    held.append(s)
elif attack == "flood":
    s, done = bad(), 0
    burst, end = ttrpc.frame(1, state) * 500, time.monotonic() + 3
    while time.monotonic() < end:
        s.setblocking(False)
        try:
            for _ in range(8):
                done += s.send(burst[done % len(burst) :])
        except BlockingIOError:
            pass
        except ConnectionError:  # it has read too little
            s, done = bad(), 0
            s.setblocking(False)
        try:
            while s.recv(1 << 16):
                pass
        except (BlockingIOError, ConnectionError):
            pass
        look()
    held.append(s)
elif attack == "connections":
    for i in range(1000):
        held.append(bad())
        if i % 50 == 0:
            look()
elif attack == "waiting":
    for i in range(500):
        s = bad()
        push(s, ttrpc.frame(1, wait))
        held.append(s)
        if i % 50 == 0:
            look()
elif attack == "unread":
    for _ in range(4):
        s = bad()
        s.settimeout(5)
        burst = ttrpc.frame(1, state) * 1000
        for _ in range(2000):
            if not push(s, burst):
                break
        held.append(s)
        look()
elif attack == "execs":
    s = ttrpc.Client(address)
    spec = ttrpc.message(_1="types.containerd.io/opencontainers/runtime-spec/1/Process",
                         _2='{"cwd":"/","args":["' + "x" * 100000 + '"]}')
    refused = 0
    for i in range(2000):
        code, _, _ = s.call(ttrpc.TASK, "Exec", ttrpc.message(_1=name, _2=f"e{i}", _7=spec))
        refused += code == 8
        if refused > 10:
            break
    if not refused:
        sys.exit("two thousand executions were taken on")
    look()
    for i in range(2000):
        if s.call(ttrpc.TASK, "Delete", ttrpc.message(_1=name, _2=f"e{i}"))[0]:
            break
elif attack == "stranger":
    # Another user, whom a mistake in permissions lets near the socket. Not to come back.
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    s = bad()
    try:
        s.sendall(ttrpc.frame(1, state))
        if s.recv(1) != b"":
            sys.exit("another user was heard")
    except ConnectionError:
        pass
    print("0 ms, peak 0 KiB")
    sys.exit(0)
else:
    sys.exit("no such attack: " + attack)

look()
os.close(last[1])
if os.waitpid(old, 0)[1]:
    sys.exit("the first client has lost its connection")
print(f"{1000 * longest:.0f} ms, peak {peak} KiB")

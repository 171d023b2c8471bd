#!/usr/bin/env python3
"""How many requests a second a node answers, and how late; by hand.

Usage: rpc_load.py [--seconds S] [--connections C] [--method NAME] [--params JSON] [--mine]

Each connection is a process of its own that asks again as soon as it has its answer, so with one connection the
figures are those of latency, and with many those of throughput. The client's own time is among them.
"""

import argparse
import json
import multiprocessing
import socket
import time

from gradient_node import init_chain, workspace


def ask(address, head, body, seconds, out):
    times = []
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = head + body
        end = time.monotonic() + seconds
        while (began := time.monotonic()) < end:
            connection.sendall(request)
            answer = connection.recv(65536)
            top = answer.index(b"\r\n\r\n") + 4
            length = int(answer[:top].lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            got = len(answer) - top
            while got < length:
                got += len(connection.recv(1 << 20))
            times.append(time.monotonic() - began)
    out.put(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--method", default="status")
    parser.add_argument("--params", type=json.loads, default={})
    parser.add_argument("--mine", action="store_true")
    options = parser.parse_args()
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        node.wait_height(20)
        if not options.mine:
            node.stop_mining()
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": options.method, "params": options.params}).encode()
        head = (f"POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {node.authorization()}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        out = multiprocessing.Queue()
        workers = [multiprocessing.Process(target=ask, args=(node.address(), head, body, options.seconds, out))
                   for _ in range(options.connections)]
        for worker in workers:
            worker.start()
        times = sorted(one for _ in workers for one in out.get())
        for worker in workers:
            worker.join()
        node.stop()
    place = {name: times[min(len(times) - 1, int(len(times) * part))] * 1000 for name, part in
             (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999))}
    print(f"{options.method}: {len(times) / options.seconds:.0f} requests/s over {options.connections} connections; "
          + ", ".join(f"{name} {value:.2f} ms" for name, value in place.items()) + f", worst {times[-1] * 1000:.1f} ms")


if __name__ == "__main__":
    main()

"""Serves S3 on a free port of 127.0.0.1, prints the address, and ends when standard input does."""

import logging
import sys

from moto.server import ThreadedMotoServer


def main() -> None:
    logging.disable(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()


main()

"""Starts LocalStack so that all its sockets are on loopback: on its own it listens on every interface, whatever GATEWAY_LISTEN says."""

import runpy
import socket

EVERYWHERE = {"", "0.0.0.0", "::"}
bind = socket.socket.bind


def on_loopback(self, address):
    if isinstance(address, tuple) and address[0] in EVERYWHERE:
        loopback = "::1" if self.family == socket.AF_INET6 else "127.0.0.1"
        address = (loopback, *address[1:])
    return bind(self, address)


socket.socket.bind = on_loopback
runpy.run_module("localstack.runtime.main", run_name="__main__")

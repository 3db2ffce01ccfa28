from __future__ import annotations

import socket

from config.run import ports


def test_a_free_port_is_not_taken_and_does_not_answer():
    port = ports.free_port()

    assert not ports.is_taken("127.0.0.1", port)
    assert not ports.answers("127.0.0.1", port)


def test_a_port_with_a_server_is_taken_and_answers():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        assert ports.is_taken("127.0.0.1", port)
        assert ports.answers("127.0.0.1", port)


def test_a_port_of_the_other_loopback_address_can_be_asked_for():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        assert ports.is_taken("::1", server.getsockname()[1])

import socket

import pytest

from deploy.local.errors import LocalStackError
from deploy.local.ports import FIRST_PORT, LAST_PORT, free_port, is_free


def test_a_port_that_is_listened_on_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not is_free(listener.getsockname()[1])


def test_a_free_port_lies_below_those_of_outgoing_connections() -> None:
    assert FIRST_PORT <= free_port() <= LAST_PORT < 32_768


def test_running_out_of_ports_is_said() -> None:
    with pytest.raises(LocalStackError, match="no free port"):
        free_port(lambda _: False)

"""Every special block of the IANA registries and every cloud's own address is refused, also in disguise."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.webhooks.addresses import CLOUD, NOT_PUBLIC, Network, is_global

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.215.14", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e"]
SPECIAL = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255"),  # noqa: S104  # not bound to
    *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.9", "192.0.2.1", "192.88.99.1", "192.168.1.1"),
    *("198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255"),
    *("240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::2", "::127.0.0.1", "64:ff9b:1::1", "100::1", "100:0:0:1::1", "2001:db8::1", "2001:2::1"),
    *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1"),
    *("fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "4000::1"),
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public(text: str) -> None:
    assert is_global(ip_address(text))


@pytest.mark.parametrize("text", SPECIAL)
def test_not_public(text: str) -> None:
    assert not is_global(ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        *("168.63.129.16", "100.100.100.200", "100.100.2.136", "100.96.0.96", "169.254.169.254", "169.254.170.2"),
        *("169.254.170.23", "169.254.0.23", "169.254.42.42", "192.0.0.192", "161.26.0.10", "166.9.0.1", "192.80.8.124"),
        *("183.60.83.19", "199.36.153.4", "199.36.153.11", "2600:2d00:2:1000::1", "fd00:ec2::254", "fd00:ec2::23"),
        *("fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "fd00:a9fe:a9fe::1", "fe80::1234:5678:9abc"),
    ],
)
def test_what_a_cloud_serves_to_the_machines_inside(text: str) -> None:
    assert not is_global(ip_address(text))


@pytest.mark.parametrize("network", NOT_PUBLIC, ids=str)
def test_a_block_is_refused_from_its_first_to_its_last_address_and_says_why(network: Network) -> None:
    assert NOT_PUBLIC[network]
    assert not is_global(network[0])
    assert not is_global(network[-1])


def test_the_neighbours_of_a_cloud_address_are_the_internet() -> None:
    neighbours = {ip_address(int(network[edge]) + step) for network in CLOUD for edge, step in ((0, -1), (-1, 1))}
    assert {address for address in neighbours if not is_global(address)} <= {
        address for network in CLOUD for address in (network[0], network[-1])
    }


DISGUISES = {
    "mapped": lambda v4: (0xFFFF << 32) | v4,
    "nat64": lambda v4: (0x64FF9B << 96) | v4,
    "6to4": lambda v4: (0x2002 << 112) | (v4 << 80) | 1,
}


@pytest.mark.parametrize("disguise", DISGUISES)
@given(data=st.data())
def test_an_address_in_an_address_is_judged_by_the_inner_one(disguise: str, data: st.DataObject) -> None:
    block = data.draw(st.sampled_from([block for block in NOT_PUBLIC if block.version == 4]))
    first, last = int(block.network_address), int(block.broadcast_address)
    inside = data.draw(st.integers(first, last))
    assert not is_global(ip_address(inside)), "the block itself"
    assert not is_global(ip_address(DISGUISES[disguise](inside)))


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_public_address_in_an_address_is_public(disguise: str) -> None:
    assert is_global(ip_address(DISGUISES[disguise](int(ip_address("8.8.8.8")))))


def test_the_edges_of_every_special_block_are_no_further_than_they_are() -> None:
    outside = {
        *("9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0"),
        *("169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255"),
        *("192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"),
    }
    assert {text for text in outside if not is_global(ip_address(text))} == set()

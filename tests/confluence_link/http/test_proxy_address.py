"""Where a proxy may be, and what of a base URL's rules holds behind one."""

from __future__ import annotations

import pytest

from confluence_link.http import (
    BlockedAddress,
    NetworkPolicy,
    Proxy,
    check_base_url,
    check_proxy_url,
)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://wiki.example.com", "scheme"),
        ("https://wiki.example.com:22", "port"),
        ("https://10.1.2.3", "address"),
        ("https://127.0.0.1", "address"),
        ("https://169.254.169.254", "address"),
        ("https://metadata.google.internal", "address"),
        ("https://wiki.corp.local", "address"),
        ("https://db", "address"),
    ],
)
def test_s12_the_rules_for_a_base_url_hold_behind_a_proxy(refusal, url, word):
    """Nobody here sees where the proxy leads, so a listed network lets no name in."""
    policy = NetworkPolicy(
        allowed=("192.168.0.0/16",), proxy=Proxy("http://192.168.0.1:3128")
    )

    with pytest.raises(BlockedAddress) as caught:
        check_base_url(url, policy)
    assert caught.value.detail == word
    assert refusal(url, policy=policy) == ("blocked", False)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://proxy.example:3128", "10.0.0.1"),
        ("http://proxy.example:3128", "127.0.0.1"),
        ("http://proxy.example:3128", "169.254.169.254"),
        ("http://10.0.0.1:3128", ""),
        ("http://127.0.0.1:8080", ""),
        ("http://proxy:3128", "8.8.8.8"),
        ("http://proxy.internal:3128", "8.8.8.8"),
        ("http://proxy.example:22", "8.8.8.8"),
        ("http://user:secret@proxy.example:3128", "8.8.8.8"),
        ("http://proxy.example:3128/path", "8.8.8.8"),
        ("ftp://proxy.example:3128", "8.8.8.8"),
        ("socks5://proxy.example:3128", "8.8.8.8"),
    ],
)
def test_s01_a_proxy_is_judged_as_any_other_place(send, url, address):
    policy = NetworkPolicy(proxy=Proxy(url))

    with pytest.raises(BlockedAddress) as caught:
        send(
            "https://wiki.example",
            policy=policy,
            resolver=lambda host, port: [address],
        )

    assert caught.value.detail == "proxy"


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("proxy.example:3128", "scheme"),
        ("http://me:secret@proxy.example:3128", "userinfo"),
        ("http://proxy.example:3128/x", "path"),
        ("http://proxy.example:3128?x", "query"),
        ("http://proxy.example", "port"),
        ("http://proxy.example:1080", "port"),
        ("http://10.0.0.1:3128", "address"),
        ("http://proxy.internal:3128", "address"),
        ("http://proxy .example:3128", "characters"),
    ],
)
def test_a_proxys_address_is_checked_where_it_is_entered(url, word):
    with pytest.raises(BlockedAddress) as caught:
        check_proxy_url(url, NetworkPolicy())

    assert caught.value.detail == word


@pytest.mark.parametrize(
    ("url", "allowed", "kept"),
    [
        ("HTTP://Proxy.Example:3128/", (), "http://proxy.example:3128"),
        ("https://proxy.example", (), "https://proxy.example"),
        ("http://proxy.example:8080", (), "http://proxy.example:8080"),
        (
            "http://proxy.corp.local:80",
            ("proxy.corp.local",),
            "http://proxy.corp.local",
        ),
        ("http://10.0.0.1:1080", ("10.0.0.0/8",), "http://10.0.0.1:1080"),
        ("http://squid:1080", ("10.0.0.0/8",), "http://squid:1080"),
    ],
)
def test_a_proxys_address_gets_one_notation(url, allowed, kept):
    assert check_proxy_url(url, NetworkPolicy(allowed=allowed)) == kept

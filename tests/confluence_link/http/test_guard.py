"""check_base_url: what a person may register; the look-up comes at the connection."""

from __future__ import annotations

import pytest

from confluence_link.errors import TransportError
from confluence_link.http import BlockedAddress, NetworkPolicy, check_base_url

# The table of S01: loopback, private, metadata, reserved, in every notation that a
# resolver or a translator would understand.
S01_HOSTS = """
127.0.0.1 127.1 0 2130706433 0x7f000001 0177.0.0.1 ①②⑦.⓪.⓪.① [::1] [::]
[::ffff:127.0.0.1] [::127.0.0.1] [::ffff:0:7f00:1] [64:ff9b::7f00:1]
[64:ff9b:1::a00:1] [2002:7f00:1::] [2001:0:7f00:1::] [fe80::1%25eth0] [fe80::1]
[fec0::1] [fd00:ec2::254] 10.0.0.1 172.16.0.1 192.168.0.1 100.64.0.1
100.100.100.200 169.254.169.254 192.0.0.192 192.88.99.1 198.18.0.1 224.0.0.1
[ff02::1] 240.0.0.1 255.255.255.255 0.0.0.0 localhost localhost. LOCALHOST
metadata.google.internal db.internal wiki.local wiki.local. db redis
a.localhost wiki.home.arpa 127.0.0.1. 127。0。0。1 [::ffff:10.0.0.1]
[64:ff9b::a9fe:a9fe] 1.2.3 0x7f.1 example.0x7f
"""

S06_URLS = """
http://wiki.example.com file:///etc/passwd ftp://w.example gopher://w.example
data:text/html,x dict://w.example jar:https://w.example!/ https:evil //evil evil
https:/w.example httpss://w.example
"""

S09_PATHS = """
/.. /a/.. /a/../b /%2e%2e /a%2fb // /a//b /;a /a;b /. /a/. /a%20b /ä /@x /a:b
"""

PUBLIC = NetworkPolicy()


def detail(url: str, policy: NetworkPolicy = PUBLIC) -> str:
    with pytest.raises(BlockedAddress) as caught:
        check_base_url(url, policy)
    return caught.value.detail


@pytest.mark.parametrize("host", S01_HOSTS.split())
def test_s01_no_host_of_our_own_can_be_registered(host: str) -> None:
    assert detail(f"https://{host}/") in {"address", "host"}


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://wiki.example.com", "https://wiki.example.com"),
        ("HTTPS://Wiki.Example.COM.:443/", "https://wiki.example.com"),
        ("https://wiki.example.com:8443", "https://wiki.example.com:8443"),
        ("https://wiki.example.com/confluence/", "https://wiki.example.com/confluence"),
        ("https://w.example/a/b-c_d.e~f", "https://w.example/a/b-c_d.e~f"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
        ("https://8.8.8.8", "https://8.8.8.8"),
        ("https://[2606:4700:0:0::1111]:8443", "https://[2606:4700::1111]:8443"),
        ("https://[64:ff9b::808:808]", "https://[64:ff9b::808:808]"),
    ],
)
def test_a_public_site_gets_one_notation(url: str, base: str) -> None:
    assert check_base_url(url, PUBLIC) == base


@pytest.mark.parametrize(
    "url",
    S06_URLS.split(),
)
def test_s06_only_https_is_a_scheme(url: str) -> None:
    assert detail(url) == "scheme"


def test_s06_http_is_one_when_the_operator_says_so() -> None:
    policy = NetworkPolicy(allow_http=True)

    assert check_base_url("http://w.example:80/", policy) == "http://w.example"


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("https://good@evil.example", "userinfo"),
        ("https://x:443@127.0.0.1", "userinfo"),
        ("https://localhost\\@evil.example", "characters"),
        ("https://evil.example#@good.example", "query"),
        ("https://evil.example?@good.example", "query"),
        ("https://evil.example?", "query"),
        ("https://evil.example/#", "query"),
        ("https://evil\t.example", "characters"),
        ("https://evil.example\n", "characters"),
        (" https://evil.example", "characters"),
        ("https://ev\0il.example", "characters"),
        ("https://evil\u200b.example", "characters"),
        ("https://evil\u00a0.example", "characters"),
        ("https://evil%00.example", "host"),
        ("https://ev_il.example", "host"),
        ("https://-evil.example", "host"),
        ("https://evil..example", "host"),
        ("https://\u2603\ufe0f.example", "host"),
        ("https://", "host"),
        ("https:///path", "host"),
        ("https://[::1", "host"),
        ("https://[v1.x]", "host"),
        ("https://[127.0.0.1]", "host"),
        ("https://a:b:c", "host"),
        (f"https://{'a' * 64}.example", "host"),
        (f"https://{'a.' * 130}example", "host"),
        (f"https://w.example/{'a' * 9000}", "characters"),
    ],
)
def test_s07_what_two_parsers_could_read_differently_is_refused(
    url: str, word: str
) -> None:
    assert detail(url) == word


@pytest.mark.parametrize(
    "port", ["", "0", "00", "65536", "99999", "6379", "80", "0443", "٤٤٣", "+443", "x"]
)
def test_s08_other_ports_are_refused(port: str) -> None:
    assert detail(f"https://wiki.example.com:{port}") in {"port", "host"}


@pytest.mark.parametrize(
    "path",
    S09_PATHS.split(),
)
def test_s09_a_context_path_is_plain(path: str) -> None:
    assert detail(f"https://wiki.example.com{path}") == "path"


@pytest.mark.parametrize(
    "url", ["https://\u0430tlassian.net", "https://xn--tlassian-2nf.net"]
)
def test_s10_punycode_is_shown_as_punycode(url: str) -> None:
    assert "://xn--" in check_base_url(url, PUBLIC)


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("wiki.corp", "https://wiki.corp:8090"),
        (" Wiki.Corp. ", "https://wiki.corp"),
        ("wiki", "https://wiki"),
        ("wiki.corp:8090", "https://wiki.corp:8090"),
        ("localhost", "https://localhost:8090"),
        ("localhost", "https://127.0.0.1:8090"),
        ("localhost:8090", "https://[::1]:8090"),
        ("127.0.0.1:8090", "https://localhost:8090"),
        ("10.1.2.3", "https://10.1.2.3:6379"),
        ("10.1.2.3:8090", "https://10.1.2.3:8090"),
        ("fd00::7", "https://[fd00::7]:1"),
        ("[fd00::7]", "https://[fd00::7]:1"),
        ("[fd00::7]:8090", "https://[fd00::7]:8090"),
        ("10.1.0.0/16", "https://10.1.2.3:8090"),
        ("10.1.2.3/16", "https://10.1.9.9"),
        ("10.1.0.0/16", "https://[::ffff:a01:203]"),
        ("127.0.0.0/8", "https://127.0.0.1:1"),
        ("169.254.169.254", "https://169.254.169.254"),
        # Where the name leads is known only when it is looked up.
        ("10.1.0.0/16", "https://wiki.internal:8090"),
    ],
)
def test_s12_the_operator_can_let_a_private_site_in(entry: str, url: str) -> None:
    assert check_base_url(url, NetworkPolicy(allowed=("other", entry))) == url


@pytest.mark.parametrize(
    ("entry", "url", "word"),
    [
        ("wiki.corp:8090", "https://wiki.corp:8091", "port"),
        ("wiki", "https://wiki2", "address"),
        ("10.1.2.3:8090", "https://10.1.2.3:8443", "address"),
        ("10.1.2.3:8090", "https://wiki.corp:8091", "port"),
        ("10.1.0.0/16", "https://10.2.0.1", "address"),
        ("localhost:8090", "https://127.0.0.1", "address"),
        ("10.0.0.0/8", "https://169.254.169.254", "address"),
        ("not an entry", "https://localhost", "address"),
        ("http://localhost", "https://localhost", "address"),
        ("", "https://localhost", "address"),
    ],
)
def test_s12_what_is_not_listed_stays_out(entry: str, url: str, word: str) -> None:
    assert detail(url, NetworkPolicy(allowed=(entry,))) == word


def test_a_refusal_is_a_transport_error_before_anything_was_sent() -> None:
    error = BlockedAddress("port")

    assert isinstance(error, TransportError)
    assert (error.reason, error.sent, error.detail) == ("blocked", False, "port")

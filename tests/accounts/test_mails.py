"""Names in mails; the two halves of a mail."""

from __future__ import annotations

import pytest

from accounts.mails import compose, one_line


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("Alice and Co", "Alice and Co"),
        ("Alice\r\nBcc: eve@example.org", "Alice Bcc: eve@example.org"),
        ("  much \t space\u2028here ", "much space here"),
        ("turned\u202egnp.exe", "turned gnp.exe"),
        ("\0", ""),
        ("Zoë 東京 👩‍💻", "Zoë 東京 👩‍💻"),
        ("x" * 10_000, "x" * 99 + "…"),
    ],
)
def test_a_name_is_one_line_and_capped(written, line):
    assert one_line(written) == line


def test_a_mail_has_a_subject_a_text_and_the_same_in_html(settings):
    context = {
        "inviter": "Alice <b>",
        "organization": "{{ 7|add:7 }} & Co",
        "role": "member",
        "address": "dora@example.org",
        "url": "https://link.example/x",
    }

    mail = compose("accounts/mail/invited", context, to="dora@example.org")

    assert mail.subject == "Alice <b> invites you to {{ 7|add:7 }} & Co"
    assert mail.to == ["dora@example.org"]
    assert "https://link.example/x" in mail.body
    (alternative,) = mail.alternatives
    assert alternative.mimetype == "text/html"
    assert "Alice &lt;b&gt;" in alternative.content
    assert "{{ 7|add:7 }} &amp; Co" in alternative.content
    assert 'href="https://link.example/x"' in alternative.content


def test_mails_load_nothing_from_elsewhere():
    mail = compose("accounts/mail/invited", {}, to="dora@example.org")

    (alternative,) = mail.alternatives
    assert all(word not in alternative.content for word in ("<img", "src=", "@import"))

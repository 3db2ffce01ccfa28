from __future__ import annotations

import smtplib
from email.message import EmailMessage

import pytest


@pytest.fixture
def send(box):
    def sends(subject, text, to="bob@example.com"):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "app@example.com", to, subject
        mail.set_content(text)
        mail.add_alternative("<p>ignored</p>", subtype="html")
        with smtplib.SMTP(box.settings.host, box.mailbox.port) as server:
            server.send_message(mail)

    return sends


def test_newest_mail_comes_first_with_its_links(box, http, send):
    send("First", "hello")
    send("Second", "See https://example.com/a?b=1&c=2. Thanks")

    mails = http.get(f"{box.cloud.url}/mailbox.json").json()

    assert [mail["subject"] for mail in mails] == ["Second", "First"]
    assert mails[0]["links"] == ["https://example.com/a?b=1&c=2"]


def test_mails_are_selected_by_recipient(box, http, send):
    send("For bob", "x")
    send("For amy", "x", to="amy@example.com")

    url = f"{box.cloud.url}/mailbox.json"
    (mail,) = http.get(url, params={"to": "amy@example.com"}).json()
    assert mail["subject"] == "For amy"
    http.delete(url)
    assert http.get(url).json() == []


def test_page_escapes_the_mail_and_links_its_links(box, http, send):
    send("<b>Bold</b>", '<script>1</script> https://example.com/"x & https://e.example')

    page = http.get(f"{box.cloud.url}/mailbox").text

    assert "<script>" not in page
    assert "&lt;b&gt;Bold" in page
    assert '<a href="https://example.com/">' in page
    assert '<a href="https://e.example">' in page

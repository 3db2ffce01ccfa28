from __future__ import annotations

import time

import pytest

from confluence_link.atlassian import from_plain_text, to_safe_html
from sandbox.confluence.seed import HANDBOOK, HOSTILE, RUNBOOK

# --- from plain text ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "storage"),
    [
        ("", ""),
        (" \n ", ""),
        ("one", "<p>one</p>"),
        ("one\ntwo", "<p>one<br/>two</p>"),
        ("one\r\n \r\n\r\ntwo\r", "<p>one</p><p>two</p>"),
        ("a <b> & 'c' \"d\"", "<p>a &lt;b&gt; &amp; 'c' \"d\"</p>"),
        ("<ac:macro/>]]>", "<p>&lt;ac:macro/&gt;]]&gt;</p>"),
        ("a\x00\x0b\ud800b", "<p>ab</p>"),
    ],
)
def test_plain_text_becomes_paragraphs(text, storage):
    assert from_plain_text(text) == storage


def test_plain_text_comes_back_as_it_was():
    shown = to_safe_html(from_plain_text("1 < 2 & <script>"))

    assert shown == "<p>1 &lt; 2 &amp; &lt;script&gt;</p>"


# --- to HTML --------------------------------------------------------------------


def test_an_ordinary_page_keeps_its_shape():
    shown = to_safe_html(HANDBOOK)

    for kept in ("<h1>Handbook</h1>", "<h2>Steps</h2>", "<ol><li>", "<th>Role</th>"):
        assert kept in shown
    assert (
        '<a href="https://example.com/guide" rel="noopener noreferrer nofollow">'
        in shown
    )


def test_a_code_macro_becomes_preformatted_text():
    shown = to_safe_html(RUNBOOK)

    assert "<pre>make check &amp;&amp; make release\n" in shown
    assert '"stop &amp; ask" &gt;&amp;2; fi</pre>' in shown
    assert "bash" not in shown


def test_nothing_hostile_is_left():
    shown = to_safe_html(HOSTILE)

    assert "The only sentence that should be left." in shown
    for gone in ("script", "onclick", "style", "javascript", "data:", "img", "iframe"):
        assert gone not in shown
    for gone in ("svg", "form", "input", "display", "title ="):
        assert gone not in shown


@pytest.mark.parametrize(
    ("storage", "shown"),
    [
        # Code that tries to end its own element.
        (
            "<ac:plain-text-body><![CDATA[</pre><script>x</script>]]>"
            "</ac:plain-text-body>",
            "<pre>&lt;/pre&gt;&lt;script&gt;x&lt;/script&gt;</pre>",
        ),
        # How a section holds its own end.
        ("<p><![CDATA[a]]]]><![CDATA[>b]]></p>", "<p>a]]&gt;b</p>"),
        ("<p>a<![CDATA[b</p>", "<p>a&lt;![CDATA[b</p>"),
        ("a<!-- note --><!--[if x]><b>-->b<!-- c", "ab&lt;!-- c"),
        # Macros go, what people wrote inside them stays.
        (
            '<ac:structured-macro ac:name="info"><ac:parameter ac:name="title">T'
            "</ac:parameter><ac:rich-text-body><p>in</p><ac:structured-macro>"
            '<ac:parameter ac:name="x"/><ac:plain-text-body><![CDATA[c]]>'
            "</ac:plain-text-body></ac:structured-macro></ac:rich-text-body>"
            "</ac:structured-macro><p>after</p>",
            "<p>in</p><pre>c</pre><p>after</p>",
        ),
        (
            "<ac:task-list>\n<ac:task><ac:task-id>7</ac:task-id><ac:task-status>"
            "incomplete</ac:task-status><ac:task-body>do</ac:task-body></ac:task>"
            "</ac:task-list>",
            "<ul>\n<li>do</li></ul>",
        ),
        (
            '<ac:link><ri:page ri:space-key="X" ri:content-title="A &amp; B" />'
            "</ac:link>",
            "A &amp; B",
        ),
        (
            '<ac:link><ri:page ri:content-title="A"/><ac:plain-text-link-body>'
            "<![CDATA[words]]></ac:plain-text-link-body></ac:link>",
            "words",
        ),
        ('<ac:image><ri:attachment ri:filename="x"/></ac:image>t', "t"),
        # What is closed in XML is open in HTML.
        ("<p/><b/>x<td/><script/>y<hr/>z<br />", "<p></p><b></b>xy<hr>z<br>"),
        ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"),
        ("</p>x</div>", "x"),
        ("<p>x", "<p>x</p>"),
        # Attributes.
        ('<p style="x" class="y" id="z" onclick="w">a</p>', "<p>a</p>"),
        ("<p title=\"'\" x='\">'>a</p>", "<p>a</p>"),
        (
            '<table><tbody><tr><td colspan="2" style="x">a</td></tr></tbody></table>',
            '<table><tbody><tr><td colspan="2">a</td></tr></tbody></table>',
        ),
        # Entities.
        ("&nbsp;&eacute;&#233;&#xe9;&lt;b&gt;&amp;lt;", "&nbsp;ééé&lt;b&gt;&amp;lt;"),
        ("AT&T &unknown; &", "AT&amp;T &amp;unknown; &amp;"),
        (f"&#{'9' * 5000};", f"&amp;#{'9' * 5000};"),
        # Signs that are no tags.
        ("1 < 2 <3 <", "1 &lt; 2 &lt;3 &lt;"),
        ("x\x00\ud800y", "xy"),
        ("", ""),
    ],
)
def test_storage_format_is_shown(storage, shown):
    assert to_safe_html(storage) == shown


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java&#10;script:alert(1)",
        "&#x6A;avascript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example",
        "/admin/",
        "relative",
        "mailto:a@b.example",
    ],
)
def test_a_link_leads_to_the_web_or_nowhere(address):
    assert "href" not in to_safe_html(f'<a href="{address}">x</a>')


@pytest.mark.parametrize(
    "storage",
    [
        "<svg/onload=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
        "<scr<script>ipt>alert(1)</script>",
        "<style><![CDATA[</style><script>alert(1)</script>]]></style>",
        "<textarea><![CDATA[</textarea><img src=x onerror=alert(1)>]]></textarea>",
        "<a href='https://a.example' onclick=alert(1)>x</a>",
        "<form action='https://a.example'><button>x</button></form>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<object data='x'></object><embed src='x'/><base href='https://a.example'/>",
        "<meta http-equiv='refresh' content='0'/><link rel='stylesheet' href='x'/>",
        "<plaintext><script>alert(1)</script>",
        "<!DOCTYPE x [<!ENTITY e 'x'>]><p>&e;</p>",
    ],
)
def test_no_element_of_the_page_acts(storage):
    shown = to_safe_html(storage)

    for tag in ("script", "style", "svg", "img", "form", "iframe", "object", "embed"):
        assert f"<{tag}" not in shown
    for tag in ("base", "meta", "link", "button", "math", "textarea", "!"):
        assert f"<{tag}" not in shown


def test_the_result_may_stand_in_a_template():
    assert to_safe_html("<p>x</p>").__html__() == "<p>x</p>"


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<b>",
        "<a ",
        '<a "',
        "<table>",
        "<ac:link><ri:page ",
        "<![CDATA[",
        "<![CDATA[]]>",
        "<!--",
        "<p/>",
        "&",
        "a&#38;",
        "&nbsp;",
        "<",
        "</",
        "<ac:parameter>",
        "<p>x</p>",
        "<b><i></b></i>",
    ],
)
def test_a_megabyte_of_anything_takes_seconds_at_most(piece):
    storage = piece * (1_000_000 // len(piece))
    begun = time.process_time()

    to_safe_html(storage)

    assert time.process_time() - begun < 5


def test_depth_does_not_multiply():
    formats = "".join(f"<{tag}>" * 3 for tag in ("b", "i", "u", "em", "s", "strong"))
    begun = time.process_time()

    to_safe_html(f"<p>{formats}" + "<div>x</div>" * 80_000)

    assert time.process_time() - begun < 5

"""Fills a Confluence with what people and tests look at: ordinary pages, enough
spaces to need paging, and one hostile page for whoever shows page bodies."""

from __future__ import annotations

from sandbox.confluence.content import Confluence, Space

DAY = 86_400

WELCOME = """<h1>Welcome</h1>
<p>This is the home of <strong>{name}</strong>. Pages in this space describe how the
team works.</p>
<h2>Where to look first</h2>
<ul><li>Read the <em>handbook</em>.</li><li>Ask in the weekly meeting.</li>
<li>Write down what you learned.</li></ul>"""

HANDBOOK = """<h1>Handbook</h1>
<p>How we plan, build and release. See also the <a href="https://example.com/guide">
public guide</a>.</p>
<h2>Steps</h2>
<ol><li>Agree on the outcome.</li><li>Make it small.</li><li>Release it on
Tuesday.</li></ol>
<h2>Who does what</h2>
<table><tbody><tr><th>Role</th><th>Task</th></tr>
<tr><td>Editor</td><td>Keeps the pages true</td></tr>
<tr><td>Release captain</td><td>Says go or stop</td></tr></tbody></table>"""

RUNBOOK = """<h1>Release runbook</h1>
<p>Run the checks, then deploy. The expected result is <code>ok</code>.</p>
<ac:structured-macro ac:name="code" ac:schema-version="1">
<ac:parameter ac:name="language">bash</ac:parameter>
<ac:plain-text-body><![CDATA[make check && make release
if [ $? -ne 0 ]; then echo "stop & ask" >&2; fi]]></ac:plain-text-body>
</ac:structured-macro>
<blockquote><p>When in doubt, roll back: it is cheaper.</p></blockquote>"""

NOTES = """<h1>Meeting notes</h1>
<p>Present: &Aring;sa, Bj&ouml;rn, &#x5F20;&#x4F1F;. We spoke about the budget and the
garden party.</p>
<ul><li>Budget is fine<ul><li>but not endless</li></ul></li><li>The party is in
June</li></ul><hr/><p>Next meeting in two weeks.</p>"""

HOSTILE_TITLE = 'Hostile <b>page</b> & "friends"'
HOSTILE = """<h1>Do not trust this page</h1>
<script>document.title = 'script ran'</script>
<p onclick="document.title='handler ran'" style="position:fixed;top:0">Click me</p>
<p><a href="javascript:document.title='link ran'">A link</a>
<a href="data:text/html,&lt;script&gt;1&lt;/script&gt;">Another</a></p>
<img src="x" onerror="document.title='image ran'"/>
<iframe src="https://example.com/"></iframe>
<svg><script>document.title='svg ran'</script></svg>
<form action="https://example.com/"><input name="password"/></form>
<style>body { display: none }</style>
<p>The only sentence that should be left.</p>"""

PAGES = (
    ("Handbook", HANDBOOK),
    ("Release runbook", RUNBOOK),
    ("Meeting notes", NOTES),
    (HOSTILE_TITLE, HOSTILE),
)
NAMES = ("Engineering", "Marketing", "Finance", "People", "Legal", "Support")


def fill(
    confluence: Confluence, *, author_id: str, now: float, extra_spaces: int = 0
) -> None:
    """One full space `TEAM`, and `extra_spaces` small ones."""
    born = now - 400 * DAY
    team = _space(confluence, "TEAM", "Team space", author_id, born)
    for number, (title, storage) in enumerate(PAGES):
        at = born + (10 + number) * DAY
        confluence.add_page(
            space=team, title=title, storage=storage, author_id=author_id, at=at
        )
    for number in range(1, 31 if extra_spaces else 4):
        confluence.add_page(
            space=team,
            title=f"Weekly report {number:02}",
            storage=f"<h1>Week {number}</h1><p>All is well in week {number}.</p>",
            author_id=author_id,
            at=born + (20 + number) * DAY,
        )
    for number in range(1, extra_spaces + 1):
        name = f"{NAMES[number % len(NAMES)]} {number:02}"
        _space(confluence, f"DEPT{number:02}", name, author_id, born + number)


def _space(
    confluence: Confluence, key: str, name: str, author_id: str, at: float
) -> Space:
    space = confluence.add_space(key=key, name=name, at=at, type="global")
    home = confluence.add_page(
        space=space,
        title=f"{name} Home",
        storage=WELCOME.format(name=name),
        author_id=author_id,
        at=at,
    )
    return confluence.set_homepage(space, home)

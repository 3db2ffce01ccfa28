from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from config.env import BASE_DIR

README = BASE_DIR / "README.md"
CHANGELOG = BASE_DIR / "CHANGELOG.md"
DOCUMENTS = [
    README,
    CHANGELOG,
    BASE_DIR / "sandbox" / "README.md",
    *sorted((BASE_DIR / "docs").glob("*.md")),
]
# The faces that others rely on: those that were promised by name.
PROMISED = [
    "SECRET_KEY",
    "DEBUG",
    "PUBLIC_URL",
    "DATABASE_URL",
    "REDIS_URL",
    "CONFLUENCE_LINK_VAULT_KEYS",
    "CONFLUENCE_CLOUD_CLIENT_ID",
    "CONFLUENCE_CLOUD_CLIENT_SECRET",
    "CONFLUENCE_CLOUD_SCOPES",
    "CONFLUENCE_CLOUD_AUTHORIZE_URL",
    "CONFLUENCE_CLOUD_TOKEN_URL",
    "CONFLUENCE_CLOUD_API_URL",
    "CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS",
    "CONFLUENCE_LINK_ALLOW_HTTP",
    "CONFLUENCE_LINK_SWEEP_SECONDS",
    "CONFLUENCE_LINK_MIN_REFRESH_SECONDS",
]
# A row of the map.
MAPPED = re.compile(r"^\| `([a-z0-9_/.]+)` \|", re.MULTILINE)


@cache
def text_of(path):
    return path.read_text()


def prose_of(path):
    """Without blocks of code, in which brackets are no links."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", text_of(path), flags=re.DOTALL)


def named(path):
    return path.relative_to(BASE_DIR).as_posix()


documents = pytest.mark.parametrize("document", DOCUMENTS, ids=named)


def targets_of_the_makefile():
    makefile = text_of(BASE_DIR / "Makefile")
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def settings_of_the_example():
    example = text_of(BASE_DIR / ".env.example")
    return set(re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE))


def settings_of_the_readme():
    rows = re.findall(r"^\| `([A-Z_]+)` \|", text_of(README), re.MULTILINE)
    assert len(rows) == len(set(rows))
    return set(rows)


@documents
def test_every_make_target_that_is_named_exists(document):
    named = set(re.findall(r"`make ([a-z-]+)[^`]*`", text_of(document)))
    assert named <= targets_of_the_makefile()


def test_every_make_target_for_people_is_in_the_readme():
    named = set(re.findall(r"`make ([a-z-]+)", text_of(README)))
    assert named == targets_of_the_makefile()


@pytest.mark.parametrize("setting", PROMISED)
def test_each_promised_setting_is_in_the_readme_and_in_the_example(setting):
    assert setting in settings_of_the_readme()
    assert setting in settings_of_the_example()


def test_readme_and_example_have_the_same_settings():
    assert settings_of_the_readme() == settings_of_the_example()


def test_the_defaults_in_the_readme_are_those_of_the_example():
    """Which are those of the code: see `test_env_example`."""
    table = re.findall(
        r"^\| `([A-Z_]+)` \|.*\((\d+)\)[^|]*\|$", text_of(README), re.MULTILINE
    )
    assert len(table) > 5
    example = text_of(BASE_DIR / ".env.example")

    wrong = [each for each in table if "#{}={}\n".format(*each) not in example]
    assert wrong == []


@documents
def test_every_setting_of_ours_that_is_named_exists(document):
    named = set(
        re.findall(r"`((?:CONFLUENCE_[A-Z_]*|SITE_)[A-Z]+)[`=]", text_of(document))
    )
    assert named <= settings_of_the_example()


@documents
def test_every_relative_link_leads_somewhere(document):
    links = re.findall(r"\]\(([^)\s]+)\)", prose_of(document))
    files = [link.partition("#")[0] for link in links if "://" not in link]

    lost = [file for file in files if not (document.parent / file).exists()]
    assert lost == []


def test_every_document_can_be_reached_from_the_readme():
    reached = {README}
    waiting = [README]
    while waiting:
        document = waiting.pop()
        for link in re.findall(r"\]\(([^)#\s]+\.md)", prose_of(document)):
            target = (document.parent / link).resolve()
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    assert set(DOCUMENTS) <= reached


def test_the_map_names_only_what_exists():
    mapped = MAPPED.findall(text_of(README))

    assert [path for path in mapped if not (BASE_DIR / path).exists()] == []


def test_the_map_names_each_module_of_the_product():
    package = BASE_DIR / "confluence_link"
    modules = {each.name for each in package.glob("*.py")} | {
        f"{each.name}/" for each in package.iterdir() if (each / "__init__.py").exists()
    }
    unmapped = {"__init__.py", "apps.py", "migrations/"}

    mapped = {
        path.removeprefix("confluence_link/")
        for path in MAPPED.findall(text_of(README))
        if path.startswith("confluence_link/")
    }
    assert mapped == modules - unmapped


def test_the_layers_of_the_architecture_are_those_of_the_contract():
    contract = re.search(
        r"^layers = \[\n(.*?)^\]", text_of(BASE_DIR / "pyproject.toml"), re.M | re.S
    )
    assert contract is not None
    layers = ast.literal_eval(f"[{contract[1]}]")
    promised = [set(re.findall(r"[a-z_0-9]+", layer)) for layer in layers]

    architecture = text_of(BASE_DIR / "docs" / "architecture.md")
    table = architecture.partition("## The layers")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| [^|]*\| (`.*) \|$", table, re.MULTILINE)
    drawn = [set(re.findall(r"`([a-z_0-9]+)`", row)) for row in rows]

    # What is optional in the contract may not be there yet.
    present = [
        {each for each in layer if is_there(each)} for layer in promised if any(layer)
    ]
    assert drawn == [layer for layer in present if layer]


def is_there(module):
    package = BASE_DIR / "confluence_link"
    return (package / f"{module}.py").exists() or (package / module).is_dir()


def test_the_commands_of_manage_py_that_are_explained_exist():
    commands = BASE_DIR / "confluence_link" / "management" / "commands"
    ours = {path.stem for path in commands.glob("*.py")}
    djangos = {"migrate", "check", "collectstatic", "createsuperuser"}

    explained = set()
    for document in DOCUMENTS:
        explained |= set(re.findall(r"manage\.py ([a-z_]+)", text_of(document)))
    assert explained <= ours | djangos


def test_the_changelog_begins_with_the_version_of_the_project():
    project = text_of(BASE_DIR / "pyproject.toml")
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    newest = re.search(r"^## \[(.+?)\]", text_of(CHANGELOG), re.MULTILINE)

    assert version is not None
    assert newest is not None
    assert newest[1] == version[1]


def test_the_screenshot_is_small():
    picture = BASE_DIR / "docs" / "images" / "linked-sites.png"

    assert picture.stat().st_size < 150_000


def test_the_words_of_the_glossary_are_in_order_and_once():
    glossary = text_of(BASE_DIR / "docs" / "glossary.md")
    words = re.findall(r"^\| ([^|]+?) \|", glossary, re.MULTILINE)[1:]

    assert words == sorted(set(words), key=str.casefold)


@documents
def test_every_document_has_one_title_and_it_is_first(document):
    headings = re.findall(r"^(#+) ", text_of(document), re.MULTILINE)

    assert headings[0] == "#"
    assert headings.count("#") == 1

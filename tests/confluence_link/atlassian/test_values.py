from __future__ import annotations

import json

from confluence_link.atlassian import Site


def test_a_site_survives_a_json_column():
    site = Site("id", "Name", "https://a.example", "", ("read:page:confluence",))

    assert Site.from_dict(json.loads(json.dumps(site.as_dict()))) == site

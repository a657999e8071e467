"""Prints the code of a street of the service at argv[1]: one with a community, found by walking the divisions."""

import json
import sys
from urllib.request import urlopen


def inside(base, parent=None):
    query = f"?parent={parent}" if parent else ""
    with urlopen(f"{base}/api/v1/divisions{query}", timeout=20) as answer:
        return json.load(answer)["items"]


def street(base, parent=None):
    """Depth first, as imported cities may have no streets."""
    for division in inside(base, parent):
        if division["level"] == "street":
            return division["code"]
        if division["level"] in ("city", "district"):
            found = street(base, division["code"])
            if found:
                return found
    return None


found = street(sys.argv[1])
if not found:
    sys.exit("the service knows no street")
print(found)

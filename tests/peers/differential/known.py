"""Differences that are known: each with its reason. What is not here makes the test fail."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.peers.differential.compare import Difference
from tests.peers.differential.requests import Request


@dataclass(frozen=True, slots=True)
class Known:
    """One known difference: patterns for the request and for what is reported of it."""

    reason: str
    request: str  # found in "METHOD path body"
    report: str  # found in "where: real ... ours ..."


BY_DESIGN: tuple[Known, ...] = (
    Known(
        "our tables describe their columns in our own words",
        "^GET",
        r"^\.columnDefinitions.*description",
    ),
    Known(
        "a real server shows the diff of its own Go structs; ours shows the fields that differ",
        "^(PUT|PATCH) .*/pods/",
        "pod updates may not change fields other than",
    ),
    Known(
        "the real allocator of addresses meets a Service without a name before validation does",
        "^POST .*/services",
        r"spec\.clusterIPs|failed to allocate IP",
    ),
    Known(
        "the same, seen in its causes", "^POST .*/services", r"causes\[0\]\.reason.*FieldValueReq"
    ),
)
TO_MEND: tuple[Known, ...] = (
    Known("dryRun is quoted as one word, not as a list", r"dryRun=x", "Unsupported value"),
    Known("a wrong propagationPolicy is not noticed", "^DELETE", "propagationPolicy"),
    Known("a dry run of DELETE answers with the object", r"^DELETE .*dryRun=All", ""),
    Known("a PUT without a name looks for the object first", "^PUT", "was undeterminable"),
    Known(
        "a patch of a wrong type is told as a body of one", "^PATCH", "unrecognized type|cannot "
    ),
    Known(
        "a negative grace period is refused, a real one takes it for 1", "", "PeriodSeconds: Inv"
    ),
    Known("a key in data and in binaryData is taken", "/configmaps", "duplicate of key present"),
    Known("what Go leaves out as empty is kept", "", r'real nothing ours (""|0)$'),
    Known("the same, counted as a change", r': (0|\\"\\"|"")', r"^\.metadata\.generation"),
    Known("generateName is not looked at in a PUT", "^PUT .*generateName", "generateName"),
    Known("a wrong clusterIP is told as a changed one", "^(PATCH|PUT)", "must be a valid IP add"),
    Known("of several mistakes in a label only one is told", "/", "(prefix|name) part must be"),
    Known("a label's mistake is told once, a real one tells more", "labels", "causes: .*not ok"),
    Known("a PUT creates no Service; in a real one it does", "^PUT .*/services/", "ours .404 "),
    Known(
        "a PUT looks for the object before it reads the new one", "^PUT", "^status: .*ours .404 "
    ),
    Known("characters are called bytes", "a{64}", "must be no more than 63"),
    Known("a selector is printed in the order of its names", "matchExpr", "invalid label selector"),
    Known("an apiVersion that is no text is told otherwise", '"apiVersion": 1', "unrecognized"),
    Known(
        "an immutable ConfigMap tells the first mistake only",
        "^(PATCH|PUT) .*/configmaps",
        "immutable",
    ),
    Known(
        "no labels are printed as null, not as {}",
        "labels",
        "Invalid value: (null|\\{\\}): `selector`",
    ),
    Known("a patch's broken base64 is told otherwise", "^PATCH .*binaryData", "illegal base64"),
)
KNOWN = BY_DESIGN + TO_MEND


def reason_for(request: Request, difference: Difference) -> str:
    """Return why a difference is accepted, empty if it is not."""
    for one in KNOWN:
        if re.search(one.request, str(request)) and re.search(one.report, str(difference)):
            return one.reason
    return ""

"""Label and field selectors: what they match, and the texts for what cannot be read."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.embedded.selectors.field_selectors import parse_field_selector
from flashsale.embedded.selectors.label_selectors import (
    format_label_selector,
    from_label_selector,
    parse_label_selector,
)
from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.resources import (
    ALL,
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    EVENTS,
    NODES,
    PODS,
    REPLICA_SETS,
    SERVICES,
    Resource,
)
from tests.embedded.orderly_refusals import OK, outcome

NAME_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)

WORDS = st.from_regex(re.compile(r"[a-z0-9]([a-z0-9._-]{0,8}[a-z0-9])?", re.ASCII), fullmatch=True)
LABELS = st.dictionaries(WORDS, WORDS, max_size=4)
VALUES = st.lists(WORDS, min_size=1, max_size=4)
ODD = st.text(alphabet="ab=!(),<> \t\\/.-in\0é\ud800", max_size=12)


@pytest.mark.parametrize(
    ("selector", "object_labels", "selected"),
    [
        ("", {}, True),
        (" ", {}, True),
        ("app=flashsale", {"app": "flashsale"}, True),
        ("app==flashsale", {"app": "flashsale"}, True),
        ("app = flashsale", {"app": "flashsale"}, True),
        ("app=flashsale", {"app": "other"}, False),
        ("app=flashsale", {}, False),
        ("app!=flashsale", {"app": "other"}, True),
        ("app!=flashsale", {}, True),
        ("app!=flashsale", {"app": "flashsale"}, False),
        ("app=", {"app": ""}, True),
        ("app==", {"app": ""}, True),
        ("app", {"app": ""}, True),
        ("app", {}, False),
        ("!app", {}, True),
        ("! app", {"app": "x"}, False),
        ("app in (flashsale,x),!debug", {"app": "x"}, True),
        ("app in (flashsale,x),!debug", {"app": "x", "debug": "1"}, False),
        ("app in ()", {"app": ""}, True),
        ("app in (,a)", {"app": ""}, True),
        ("app in (a,)", {"app": ""}, True),
        ("app in (a,,b)", {"app": ""}, True),
        ("app in (a,b)", {"app": ""}, False),
        ("app notin (a)", {}, True),
        ("app notin (a)", {"app": "a"}, False),
        ("in in (in,notin)", {"in": "notin"}, True),
        ("in=in", {"in": "in"}, True),
        ("age>3", {"age": "4"}, True),
        ("age>3", {"age": "3"}, False),
        ("age<3", {"age": "two"}, False),
        ("age<3", {}, False),
        ("example.com/app=a", {"example.com/app": "a"}, True),
    ],
)
def test_a_label_selector_selects(
    selector: str, object_labels: dict[str, str], selected: bool
) -> None:
    """`!=` and notin hold for objects without the key; blanks and empty values are fine."""
    assert parse_label_selector(selector).matches(object_labels) is selected


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("app===x", "unable to parse requirement: found '=', expected: identifier"),
        (
            "app in ((",
            "unable to parse requirement: found '(', expected: ',', ')' or identifier",
        ),
        ("app in (a", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("app in (a b)", "unable to parse requirement: found 'b', expected: ',' or ')'"),
        ("app in (,", "unable to parse requirement: found '', expected: ',', or identifier"),
        ("app in a", "unable to parse requirement: found 'a' expected: '('"),
        ("a=b,", "found '', expected: identifier after ','"),
        ("a=b,,c", "found ',', expected: identifier after ','"),
        ("=x", "found '=', expected: !, identifier, or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        (
            "a b",
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
        ),
        (
            "a>b",
            'unable to parse requirement: values[0]: Invalid value: "b": '
            "for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        (
            "a/b/c",
            'unable to parse requirement: <nil>: Invalid value: "a/b/c": a valid label key '
            + NAME_RULE
            + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        ),
        (
            "app=-x",
            'unable to parse requirement: values[0][app]: Invalid value: "-x": ' + VALUE_RULE,
        ),
        (
            "A/b=" + "x" * 64,
            'unable to parse requirement: <nil>: Invalid value: "A/b": prefix part '
            + SUBDOMAIN_RULE,
        ),
    ],
)
def test_a_bad_label_selector_is_explained_in_kubernetes_words(selector: str, message: str) -> None:
    """400 with the text that apimachinery would give."""
    with pytest.raises(StatusError) as caught:
        parse_label_selector(selector)
    assert (caught.value.code, caught.value.message) == (400, message)


def test_the_recorded_mistake_reads_as_recorded() -> None:
    """`app===x`, the whole Status as Kubernetes v1.36.2 answered it."""
    with pytest.raises(StatusError) as caught:
        parse_label_selector("app===x")
    assert caught.value.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "unable to parse requirement: found '=', expected: identifier",
        "reason": "BadRequest",
        "code": 400,
    }


@given(WORDS, VALUES, LABELS)
def test_in_and_notin_are_complements(
    key: str, values: list[str], object_labels: dict[str, str]
) -> None:
    """Every object is selected by exactly one of the two."""
    listed = ",".join(values)
    chosen = parse_label_selector(f"{key} in ({listed})").matches(object_labels)
    left = parse_label_selector(f"{key} notin ({listed})").matches(object_labels)
    assert chosen is not left


@given(LABELS)
def test_a_selector_made_of_labels_matches_them(object_labels: dict[str, str]) -> None:
    """Both the text and the object form of an object's own labels select it."""
    text = ",".join(f"{key}={value}" for key, value in object_labels.items())
    assert parse_label_selector(text).matches(object_labels)
    assert from_label_selector({"matchLabels": object_labels}).matches(object_labels)


@given(WORDS, st.sampled_from(("in", "notin")), VALUES)
def test_what_is_written_can_be_read_again(key: str, operator: str, values: list[str]) -> None:
    """The normal form of a selector means the same."""
    selector = parse_label_selector(f"{key} {operator} ({','.join(values)}),!other")
    assert parse_label_selector(str(selector)) == selector


@given(ODD)
def test_any_label_selector_is_read_or_refused(text: str) -> None:
    """No text raises anything but an ApiError."""
    assert outcome(lambda: parse_label_selector(text).matches({"a": "b"})) in (OK, 400)


@pytest.mark.parametrize(
    ("selector", "written"),
    [
        ({"matchLabels": {"tier": "web", "app": "flashsale"}}, "app=flashsale,tier=web"),
        (
            {
                "matchLabels": {"app": "flashsale"},
                "matchExpressions": [
                    {"key": "tier", "operator": "In", "values": ["web", "api"]},
                    {"key": "zone", "operator": "NotIn", "values": ["b"]},
                    {"key": "old", "operator": "DoesNotExist"},
                    {"key": "new", "operator": "Exists"},
                ],
            },
            "app=flashsale,new,!old,tier in (api,web),zone notin (b)",
        ),
        ({}, "<none>"),
        (None, "<none>"),
        ({"matchExpressions": [{"key": "a", "operator": "Near"}]}, "<error>"),
        ({"matchExpressions": [{"key": "a", "operator": "In"}]}, "<error>"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}, "<error>"),
        ({"matchLabels": {"a b": "c"}}, "<error>"),
    ],
)
def test_the_selector_column_is_kubernetes(selector: object, written: str) -> None:
    """As metav1.FormatLabelSelector writes it."""
    assert format_label_selector(selector) == written


def test_an_object_without_a_selector_selects_nothing_and_an_empty_one_everything() -> None:
    """The difference that metav1.LabelSelectorAsSelector makes."""
    assert not from_label_selector(None).matches({"a": "b"})
    assert from_label_selector({}).matches({"a": "b"})


def test_all_that_is_wrong_with_an_expression_is_said_at_once() -> None:
    """Several errors stand in brackets, as an aggregate prints."""
    expression = {"key": "", "operator": "In", "values": []}
    with pytest.raises(StatusError) as caught:
        from_label_selector({"matchExpressions": [expression]})
    assert caught.value.message == (
        f'[key: Invalid value: "": name part must be non-empty; name part {NAME_RULE}, '
        "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty]"
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | ODD,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(("matchLabels", "matchExpressions", "key", "operator", "values")),
                inner,
                max_size=3,
            )
        ),
    )
)
def test_any_selector_object_is_read_or_refused(selector: object) -> None:
    """No JSON value raises anything but an ApiError."""
    assert outcome(lambda: from_label_selector(selector).matches({})) in (OK, 400)


@pytest.mark.parametrize(
    ("errors", "text"),
    [
        (texts.qualified_name("x" * 64), "name part must be no more than 63 bytes"),
        (texts.qualified_name("/a"), "prefix part must be non-empty"),
        (texts.label_value("x" * 64), "must be no more than 63 bytes"),
    ],
)
def test_lengths_of_keys_and_values_are_limited(errors: list[str], text: str) -> None:
    """63 characters for names and values, no empty prefix."""
    assert errors == [text]


POD = {
    "metadata": {"name": "p", "namespace": "default"},
    "spec": {"nodeName": "minikube", "restartPolicy": "Always", "hostNetwork": True},
    "status": {"phase": "Running", "podIP": "10.244.0.9", "podIPs": [{"ip": "10.244.0.9"}]},
}
EVENT = {
    "metadata": {"name": "e", "namespace": "default"},
    "involvedObject": {"kind": "Node", "name": "minikube", "uid": "u"},
    "reason": "Scheduled",
    "source": {},
    "reportingComponent": "default-scheduler",
    "type": "Normal",
}


@pytest.mark.parametrize(
    ("resource", "thing", "selector", "selected"),
    [
        (PODS, POD, "", True),
        (PODS, POD, "status.phase=Running,spec.nodeName!=zz", True),
        (PODS, POD, "status.phase==Running,,", True),
        (PODS, POD, "status.phase!=Running", False),
        (PODS, POD, "spec.nodeName=", False),
        (PODS, {"metadata": {"name": "p"}}, "spec.nodeName=", True),
        (PODS, {"metadata": {"name": "p"}}, "spec.nodeName!=", False),
        (PODS, POD, "metadata.name=p,metadata.namespace=default", True),
        (PODS, POD, "spec.hostNetwork=true", True),
        (PODS, {}, "spec.hostNetwork=false", True),
        (PODS, POD, "status.podIP=10.244.0.9", True),
        (PODS, POD, r"metadata.name=a\,b\=c\\", False),
        (PODS, {"metadata": {"name": "a,b=c\\"}}, r"metadata.name=a\,b\=c\\", True),
        (NODES, {}, "spec.unschedulable=false", True),
        (NODES, {"spec": {"unschedulable": True}}, "spec.unschedulable=true", True),
        (SERVICES, {"spec": {"type": "NodePort"}}, "spec.type=NodePort", True),
        (REPLICA_SETS, {"metadata": {"name": "a"}}, "metadata.name=a", True),
        (EVENTS, EVENT, "involvedObject.namespace=,involvedObject.uid=u", True),
        (EVENTS, EVENT, "source=default-scheduler", True),
        (EVENTS, EVENT | {"source": {"component": "kubelet"}}, "source=kubelet", True),
        (EVENTS, EVENT, "reportingComponent=default-scheduler,type!=Warning", True),
    ],
)
def test_a_field_selector_selects(
    resource: Resource, thing: Mapping[str, object], selector: str, selected: bool
) -> None:
    """An absent field is the empty string; escapes are undone."""
    assert parse_field_selector(selector, resource).matches(thing) is selected


@pytest.mark.parametrize(
    ("resource", "selector", "message"),
    [
        (PODS, "spec.nope=x", "field label not supported: spec.nope"),
        (EVENTS, "involvedObject.nope=x", "field label not supported: involvedObject.nope"),
        (
            REPLICA_SETS,
            "status.replicas=3",
            '"status.replicas" is not a known field selector: '
            'only "metadata.name", "metadata.namespace"',
        ),
        (
            ENDPOINT_SLICES,
            "a=b",
            '"a" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        (
            CONFIG_MAPS,
            "a=b",
            '"a" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        (PODS, "X", "invalid selector: 'X'; can't understand 'X'"),
        (PODS, "metadata.name=a,X", "invalid selector: 'metadata.name=a,X'; can't understand 'X'"),
        (PODS, "metadata.name=a=b", "invalid field selector: unescaped character in value: 61"),
        (PODS, r"metadata.name=\a", r"invalid field selector: invalid escape sequence: \a"),
        (PODS, "metadata.name=a\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_a_bad_field_selector_is_explained_in_kubernetes_words(
    resource: Resource, selector: str, message: str
) -> None:
    """400; which text depends on whether the kind is of the core group."""
    with pytest.raises(StatusError) as caught:
        parse_field_selector(selector, resource)
    assert (caught.value.code, caught.value.message) == (400, message)


@given(ODD | st.just("metadata.name=") | ODD.map("metadata.name=".__add__), st.sampled_from(ALL))
def test_any_field_selector_is_read_or_refused(text: str, resource: Resource) -> None:
    """No text raises anything but an ApiError."""
    assert outcome(lambda: parse_field_selector(text, resource).matches(POD)) in (OK, 400)


@given(st.text(alphabet=r"ab,=\ ", max_size=8))
def test_any_name_can_be_selected_by_when_it_is_escaped(name: str) -> None:
    """Backslash, comma and equals sign with a backslash before them stand for themselves."""
    escaped = re.sub(r"([\\,=])", r"\\\1", name)
    selector = parse_field_selector(f"metadata.name={escaped}", PODS)
    assert selector.matches({"metadata": {"name": name}})

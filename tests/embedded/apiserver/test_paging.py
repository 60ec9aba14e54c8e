"""Lists in pieces show one state, however much changes meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from flashsale.embedded.apiserver.handlers.paging import Page, collection_page, read_paging
from flashsale.embedded.storage.store import Store
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.resources import CONFIG_MAPS

REAL_TOKEN = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Mywic3RhcnQiOiIvYVx1MDAwMCJ9"  # rv 3, after /a


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Four ConfigMaps, at the revisions 2 to 5."""
    store = Store(tmp_path / "state.db")
    for name in "abcd":
        _put(store, name)
    return store


def _put(store: Store, name: str, **data: str) -> None:
    store.put(CONFIG_MAPS, {"metadata": {"namespace": "x", "name": name}, "data": data})


def _page(store: Store, *, selects: bool = False, revision: int = 0, **query: Any) -> Page:
    text = "&".join(f"{key}={value}" for key, value in query.items())
    request = make_mocked_request("GET", f"/?{text}")
    wanted = read_paging(request, int(query.get("limit", 0)), revision)
    return collection_page(
        store, CONFIG_MAPS, "x", wanted, matches=lambda one: True, selects=selects
    )


def _names(page: Page) -> str:
    return "".join(obj["metadata"]["name"] for obj in page.items)


def test_all_pieces_are_of_the_state_of_the_first(store: Store) -> None:
    """What is made, changed or deleted in between does not show."""
    first = _page(store, limit=2)
    assert (_names(first), first.metadata["remainingItemCount"]) == ("ab", 2)
    _put(store, "bb")
    _put(store, "c", new="yes")
    store.remove(CONFIG_MAPS, "x", "d")
    second = _page(store, limit=2, **{"continue": first.metadata["continue"]})
    assert _names(second) == "cd"
    assert second.items[0]["data"] == {}
    assert second.metadata == {"resourceVersion": first.metadata["resourceVersion"]}
    assert _names(_page(store)) == "abbbc"


def test_what_is_left_is_not_counted_where_something_is_selected(store: Store) -> None:
    """As in Kubernetes, which would have to look at everything for it."""
    assert "remainingItemCount" not in _page(store, limit=1, selects=True).metadata


def test_a_real_servers_token_is_understood(store: Store) -> None:
    """Revision 3: `a` and `b` were there, and `a` had been sent."""
    assert _names(_page(store, **{"continue": REAL_TOKEN})) == "b"


def test_a_list_can_be_as_it_was(store: Store) -> None:
    """With resourceVersionMatch=Exact."""
    assert _names(_page(store, resourceVersionMatch="Exact", revision=4)) == "abc"


def test_a_forgotten_state_is_refused_with_a_way_on(tmp_path: Path, store: Store) -> None:
    """410, and a token that goes on with what is there now."""
    token = _page(store, limit=1).metadata["continue"]
    _put(store, "e")
    store.close()
    again = Store(tmp_path / "state.db")  # the history is not kept
    with pytest.raises(StatusError) as caught:
        _page(again, **{"continue": token})
    assert (caught.value.code, caught.value.reason) == (410, "Expired")
    assert _names(_page(again, **{"continue": caught.value.metadata["continue"]})) == "bcde"


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("x", "illegal base64 data at input byte 0"),
        ("abc", "invalid character 'i' looking for beginning of value"),
        ("e30", "server does not recognize this encoded version "),
        ("W10", "json: cannot unmarshal array into Go value of type storage.continueToken"),
    ],
)
def test_a_token_that_is_none_is_explained(store: Store, token: str, message: str) -> None:
    """In the words of a real v1.36.2."""
    with pytest.raises(StatusError) as caught:
        _page(store, **{"continue": token})
    assert caught.value.message == f"invalid continue token: continue key is not valid: {message}"

"""PriorityClasses: how important pods are (plugin/pkg/admission/priority)."""

from __future__ import annotations

from flashsale.embedded.storage.store import Store
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.resources import PRIORITY_CLASSES
from flashsale.embedded.validation.priority_classes import PREEMPTS, SYSTEM_CLASSES
from flashsale.objects.models import Object

NO_CLASS: Object = {"value": 0, "preemptionPolicy": PREEMPTS}


def find_priority_class(store: Store, name: str) -> Object | None:
    """Return a class by its name; without a name the default one. None if it is not there."""
    if name in SYSTEM_CLASSES:
        return NO_CLASS | SYSTEM_CLASSES[name]
    if name:
        return store.get(PRIORITY_CLASSES, "", name)
    defaults = [one for one in store.all(PRIORITY_CLASSES) if one.get("globalDefault")]
    return min(defaults, key=lambda one: int(one.get("value", 0)), default=NO_CLASS)


def refuse_second_default(store: Store, thing: Object) -> None:
    """Refuse a class that is the default beside another.

    Raises:
        StatusError: 403.
    """
    name = thing["metadata"].get("name", "")
    for other in store.all(PRIORITY_CLASSES) if thing.get("globalDefault") else ():
        named = other["metadata"]["name"]
        if other.get("globalDefault") and named != name:
            why = f"PriorityClass {named} is already marked as default. Only one default can exist"
            raise api_errors.forbidden(PRIORITY_CLASSES, name, why)

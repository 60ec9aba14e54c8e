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
    defaults = [
        priority_class
        for priority_class in store.all(PRIORITY_CLASSES)
        if priority_class.get("globalDefault")
    ]
    return min(
        defaults, key=lambda priority_class: int(priority_class.get("value", 0)), default=NO_CLASS
    )


def refuse_second_default(store: Store, thing: Object) -> None:
    """Refuse a class that is the default beside another.

    Raises:
        StatusError: 403.
    """
    if not thing.get("globalDefault"):
        return
    name = thing["metadata"].get("name", "")
    for other in store.all(PRIORITY_CLASSES):
        if other.get("globalDefault") and other["metadata"]["name"] != name:
            named = other["metadata"]["name"]
            why = f"PriorityClass {named} is already marked as default. Only one default can exist"
            raise api_errors.forbidden(PRIORITY_CLASSES, name, why)

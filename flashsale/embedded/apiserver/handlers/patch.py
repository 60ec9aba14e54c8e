"""Patch an object, in any of the four ways."""

from __future__ import annotations

from functools import partial
from typing import Any

from aiohttp import web

from flashsale.embedded.apiserver.handlers import request_body, yaml_body
from flashsale.embedded.apiserver.handlers.write import APPLY, Write, keeping_reset, refused_change
from flashsale.embedded.patching import json_patch, patches
from flashsale.embedded.patching.server_side_apply import configuration, typed_errors
from flashsale.embedded.patching.strategic import left_over
from flashsale.embedded.storage.store import encode_object
from flashsale.embedded.types import api_errors, schema, strict_decoding
from flashsale.embedded.types.golang import go_json, go_values
from flashsale.embedded.types.resources import Resource
from flashsale.objects.fields import part
from flashsale.objects.models import Object, rfc3339


def patch(write: Write) -> web.Response:
    """PATCH an object or its status, in any of the four ways."""
    kind = patch_kind(write)
    if kind == APPLY:
        return _apply(write)
    live = write.registry.get(*write.target.key)
    patched = patches.apply_patch(kind, write.body, live)
    patched = decoded_patch(write, kind, patched, live, write.target.resource)
    write.check_matches_url(patched)
    return write.answer(write.update(patched, write.track, patches=True), 200, live)


def patch_nothing(write: Write) -> web.Response:
    """PATCH what can only be read: answer if that changes nothing.

    Raises:
        StatusError: 404 for a change.
    """
    kind = patch_kind(write)
    live = write.registry.get(*write.target.key)
    if kind == APPLY or patches.apply_patch(kind, write.body, live) != live:
        raise refused_change(write)
    return write.answer(live, 200, live)


def patch_kind(write: Write) -> str:
    """Return the kind of patch; an unknown one is refused before the object is looked for.

    Raises:
        StatusError: 415.
    """
    kind = request_body.media_type(write.request)
    if kind not in (*patches.KINDS, APPLY):
        raise api_errors.unsupported_patch()
    return kind


def applied_configuration(write: Write, resource: Resource) -> Object:
    """Read what a server-side apply sends.

    Raises:
        StatusError: 400 for what is none, or is of another kind; 500 (as in Kubernetes) for values
            of the wrong type.
    """
    api_version, kind = resource.api_version, resource.kind
    try:
        applied, repeated = yaml_body.load_noting_duplicates(write.body)
    except yaml_body.YAMLBodyError as error:
        why = f"error decoding YAML: error converting YAML to JSON: {error}"
        raise api_errors.bad_request(why) from error
    if applied is None:
        applied = {}
    if not isinstance(applied, dict):
        word = strict_decoding.json_type_name(applied)
        raise api_errors.bad_request(
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot "
            f"unmarshal {word} into Go value of type map[string]interface {{}}"
        )
    sent, sent_kind = (
        text if isinstance(text := applied.get(key), str) else "" for key in ("apiVersion", "kind")
    )
    if (sent, sent_kind) != (api_version, kind):
        if sent.count("/") > 1:  # neither a version nor a group with one
            sent = sent_kind = ""
        group_version = sent if "/" in sent else f"/{sent}"
        raise api_errors.bad_request(f"invalid object type: {group_version}, Kind={sent_kind}")
    if part(applied, "metadata", "managedFields") is not None:
        raise api_errors.bad_request("metadata.managedFields must be nil")
    if wrong := typed_errors.first_type_error(applied, api_version, kind):
        raise configuration.untyped(applied, api_version, wrong)
    if repeated and write.options.validation == "Strict":
        why = f"error converting YAML to JSON: {schema.yaml_errors(repeated)[0]}"
        raise api_errors.bad_request(f"error strict decoding YAML: {why}")
    write.warn_of_fields(repeated)
    configuration_sent: Object = applied
    return configuration_sent


def _apply(write: Write) -> web.Response:
    """Server-side apply: create or merge, by who owns which field (KEP-555)."""
    resource, target, registry = write.target.resource, write.target, write.registry
    applied = applied_configuration(write, resource)
    live = registry.store.get(*target.key)
    applied, misfit = go_values.convert(applied, resource.api_version, resource.kind)
    if misfit and live is None:
        raise configuration.unconvertible(applied, resource.api_version, misfit)
    name = (applied.get("metadata") or {}).get("name")
    if name not in (None, "", target.name):
        write.check_matches_url(applied)
    settle = partial(schema.prune, api_version=resource.api_version, kind=resource.kind)
    pruned = applied if misfit else settle(applied)
    applied = schema.with_explicit_zeros(pruned, applied)
    merged = configuration.apply_configuration(
        live,
        applied,
        settle=settle if applied != pruned else None,
        manager=write.options.manager,
        force=write.options.force,
        api_version=resource.api_version,
        subresource=target.subresource,
        now=rfc3339(registry.clock()),
    )
    if misfit:  # conflicts come first
        raise configuration.unconvertible(applied, resource.api_version, misfit)
    write.check_matches_url(merged)
    if live is None:
        return write.answer(write.create(merged, None), 201)
    return write.answer(write.update(merged, None, patches=True), 200, live)


def decoded_patch(
    write: Write, patch: str, patched: Any, live: Object, resource: Resource
) -> Object:
    """Check the outcome of a patch, where mistakes are 422 of a nameless kind.

    Args:
        live: what was patched.
        resource: of what kind that is.

    Raises:
        StatusError: 422.
    """
    version, kind = resource.api_version, resource.kind
    strategic = patch == patches.STRATEGIC_MERGE_PATCH

    def outcome() -> str:
        whole = schema.prune(live, version, kind)  # in the order of Go's structs
        again = patched if strategic else patches.apply_patch(patch, write.body, whole)
        return encode_object(again).decode()

    if strategic:
        patched, misfit = go_values.convert(patched, version, kind)
        if misfit:
            raise schema.patch_error(_shown(write), misfit)
    wrong = strict_decoding.type_error(patched, version, kind)
    if not strategic:
        if untold := schema.kind_error(patched):
            wrong = f"couldn't get version/kind; json parse error: {untold}"
        wrong = wrong or schema.unregistered(version, kind, patched)
    if wrong:
        raise schema.patch_error(outcome(), wrong)
    unknown = strict_decoding.unknown_fields(patched, version, kind)
    sent, repeated = go_json.decode_noting_duplicates(write.body)
    if patch == patches.JSON_PATCH:
        odd = schema.field_mistakes(json_patch.unknown_members(sent), repeated)
        mistakes = [f"json patch {text}" for text in odd] + schema.field_mistakes(unknown, [])
    else:
        mistakes = schema.field_mistakes(unknown, repeated)
    if mistakes and write.options.validation == "Strict":
        why = schema.strict_error(mistakes)
        raise schema.patch_error(_shown(write) if strategic else outcome(), why)
    write.warn_of_fields(mistakes)
    return keeping_reset(patched, schema.prune(patched, version, kind))


def _shown(write: Write) -> str:
    """Print a strategic patch as errors do, which is after it was merged."""
    return go_values.go_printed(left_over(go_json.decode_json(write.body)))

"""For properties such as: whatever comes in, it works or is refused in an orderly way."""

from collections.abc import Callable

from flashsale.embedded.types.api_errors import StatusError

OK = 200


def outcome(action: Callable[[], object]) -> int:
    """Return 200, or the code of the ApiError that was raised; any other exception passes."""
    try:
        action()
    except StatusError as error:
        return error.code
    return OK

"""Errors that a handler raises, and their form in Google's answers.

Errors of operations (which come after the request was accepted) are OperationFailedError; they end in the
operation, never in an answer.
"""

from typing import Any

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
}


class ApiError(Exception):
    """A refused request: HTTP status, Google's reason ("notFound"), and a sentence for people."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message

    def body(self) -> dict[str, Any]:
        """Error in the form all Google JSON APIs share (https://cloud.google.com/apis/design/errors)."""
        return {
            "error": {
                "code": self.status,
                "message": self.message,
                "status": _STATUS.get(self.status, "INTERNAL"),
                "errors": [{"domain": "global", "reason": self.reason, "message": self.message}],
            }
        }


class OperationFailedError(Exception):
    """A long-running operation that cannot be done: Google's error code ("INTERNAL_ERROR") and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> ApiError:
    """400: the request is understood and wrong."""
    return ApiError(400, "invalid", message)


def not_found(message: str) -> ApiError:
    """404: no such resource."""
    return ApiError(404, "notFound", message)


def conflict(reason: str, message: str) -> ApiError:
    """409: the resource exists already, is not empty, or is busy."""
    return ApiError(409, reason, message)


def precondition_failed(message: str) -> ApiError:
    """412: the etag or version that the caller read is no longer the current one."""
    return ApiError(412, "conditionNotMet", message)


def not_implemented(what: str) -> ApiError:
    """501: Google documents `what`, this stand-in does not do it."""
    return ApiError(501, "notImplemented", f"{what} is not implemented by this stand-in")

"""What schemathesis must be told for test_contract: a body of lines of JSON is sent as it is; and nobody ends
their own token or account, for whatever came after that would be a 401.
"""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

import schemathesis

_OWN = os.environ.get("STOREWATCH_CONTRACT_OWN", "").split(",")


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx: schemathesis.SerializationContext, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.hook
def before_call(ctx: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    if case.method in ("DELETE", "PATCH", "POST", "PUT"):
        for name, value in (case.path_parameters or {}).items():
            if str(value) in _OWN:
                case.path_parameters[name] = str(uuid4())

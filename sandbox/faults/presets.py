"""The faults by name. Each takes the fault's options and the exchange, and
decides whether the part gets to process the request at all."""

from __future__ import annotations

from collections.abc import Iterator

from werkzeug.wrappers import Response

from sandbox.faults.fault import Exchange, Fault, Preset
from sandbox.faults.malformed import MALFORMED

LOGIN_PAGE = (
    "<!doctype html><title>Log in</title><h1>Log in to continue</h1>"
    "<form><input name=username><input name=password type=password></form>"
)
ERROR_PAGE = "<!doctype html><title>Error</title><h1>Oops, something went wrong</h1>"


def _json(status: int, body: str, **headers: str) -> Response:
    return Response(body, status, headers, mimetype="application/json")


def _html(status: int, body: str = ERROR_PAGE, **headers: str) -> Response:
    return Response(body, status, headers, mimetype="text/html")


def custom(fault: Fault, exchange: Exchange) -> Response:
    return Response(fault.body, fault.status or 200, fault.headers)


def invalid_grant(fault: Fault, exchange: Exchange) -> Response:
    return _json(
        fault.status or 403,
        '{"error":"invalid_grant",'
        '"error_description":"Unknown or invalid refresh token."}',
    )


def refresh_token_is_invalid(fault: Fault, exchange: Exchange) -> Response:
    return _json(
        fault.status or 403,
        '{"error":"unauthorized_client",'
        '"error_description":"refresh_token is invalid"}',
    )


def wrong_secret(fault: Fault, exchange: Exchange) -> Response:
    return _json(
        fault.status or 401,
        '{"error":"access_denied","error_description":"Unauthorized"}',
    )


def invalid_client(fault: Fault, exchange: Exchange) -> Response:
    return _json(fault.status or 401, '{"error":"invalid_client"}')


def unauthorized(fault: Fault, exchange: Exchange) -> Response:
    return _json(fault.status or 401, '{"code":401,"message":"Unauthorized"}')


def rate_limited(fault: Fault, exchange: Exchange) -> Response:
    return _json(
        fault.status or 429,
        '{"code":429,"message":"Rate limit exceeded"}',
        **{
            "Retry-After": fault.retry_after,
            "RateLimit-Reason": "confluence-quota-global-based",
        },
    )


def unavailable(fault: Fault, exchange: Exchange) -> Response:
    return _html(503, **{"Retry-After": fault.retry_after})


def server_error(fault: Fault, exchange: Exchange) -> Response:
    return _html(500)


def blocked(fault: Fault, exchange: Exchange) -> Response:
    """A web application firewall speaks, not the authorization server."""
    return _html(403, "<!doctype html><title>Blocked</title><h1>Request blocked</h1>")


def login_page(fault: Fault, exchange: Exchange) -> Response:
    return _html(200, LOGIN_PAGE)


def redirect(fault: Fault, exchange: Exchange) -> Response:
    """307 by default: a client that follows it sends its secrets along."""
    return Response(status=fault.status or 307, headers={"Location": fault.location})


def slow(fault: Fault, exchange: Exchange) -> Response:
    exchange.stopping.wait(fault.seconds)
    return exchange.process()


def slow_after(fault: Fault, exchange: Exchange) -> Response:
    """Processed at once, answered late."""
    response = exchange.process()
    exchange.stopping.wait(fault.seconds)
    return response


def _until_released(exchange: Exchange) -> None:
    while not (exchange.released.wait(0.05) or exchange.stopping.is_set()):
        pass


def hold(fault: Fault, exchange: Exchange) -> Response:
    """Arrived; processed and answered when it is released."""
    _until_released(exchange)
    return exchange.process()


def hold_after(fault: Fault, exchange: Exchange) -> Response:
    """Processed at once; answered when it is released."""
    response = exchange.process()
    _until_released(exchange)
    return response


def hang(fault: Fault, exchange: Exchange) -> Response:
    """Never processed, never answered."""
    exchange.stopping.wait(fault.seconds)
    return exchange.drop()


def drop_before(fault: Fault, exchange: Exchange) -> Response:
    return exchange.drop()


def drop_after(fault: Fault, exchange: Exchange) -> Response:
    """The lost response: the exchange happened and nobody hears of it."""
    exchange.process()
    return exchange.drop()


def drip(fault: Fault, exchange: Exchange) -> Response:
    """The honest body, one byte per `seconds`."""
    response = exchange.process()
    body = response.get_data()

    def bytes_slowly() -> Iterator[bytes]:
        for byte in body:
            if exchange.stopping.wait(fault.seconds):
                return
            yield bytes([byte])

    response.response = bytes_slowly()
    return response


def endless(fault: Fault, exchange: Exchange) -> Response:
    def spaces() -> Iterator[bytes]:
        while not exchange.stopping.is_set():
            yield b" " * 65_536

    return Response(spaces(), mimetype="application/json")


PRESETS: dict[str, Preset] = {
    preset.__name__: preset
    for preset in (
        custom,
        invalid_grant,
        refresh_token_is_invalid,
        wrong_secret,
        invalid_client,
        unauthorized,
        rate_limited,
        unavailable,
        server_error,
        blocked,
        login_page,
        redirect,
        slow,
        slow_after,
        hold,
        hold_after,
        hang,
        drop_before,
        drop_after,
        drip,
        endless,
    )
} | MALFORMED

"""How a part of the sandbox behaves: lifetimes, rotation and the points where
nobody could say what the real side does. Everything here can be changed while
the sandbox runs; `Behaviour.reset` goes back to what it was started with."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Literal, Self

DAY = 86_400.0
NUMBERS = {int, float}

CLOUD_SCOPES = (
    "offline_access read:me read:account report:personal-data "
    "read:confluence-user search:confluence read:confluence-content.all "
    "read:confluence-content.summary read:confluence-space.summary "
    "write:confluence-content read:space:confluence read:page:confluence "
    "write:page:confluence delete:page:confluence "
    "read:content-details:confluence read:space-details:confluence"
)


@dataclass
class Behaviour:
    """What Cloud and Data Center have in common, in seconds where it is time."""

    access_token_seconds: float = 3600
    code_seconds: float = 300
    idle_seconds: float = 90 * DAY
    absolute_seconds: float = 365 * DAY
    rotates_refresh_tokens: bool = True
    # How long a retired refresh token may still be exchanged, and how long the
    # access token that was issued with it lives on.
    leeway_seconds: float = 600
    old_access_token_seconds: float = 600
    # What a second exchange of the same refresh token inside the leeway does:
    # another live token beside the first, one that retires the first, or the
    # first answer once more.
    reuse: Literal["siblings", "last_wins", "idempotent"] = "siblings"
    reuse_after_leeway_kills_family: bool = True
    pkce_checked: bool = True
    access_token_length: int = 64
    # Scopes that the person does not get although the client asked for them.
    withheld_scopes: str = ""

    def __post_init__(self) -> None:
        self._started_with = asdict(self)

    def change(self, values: dict[str, object]) -> None:
        """Set fields by name; a wrong name or type is a `ValueError`."""
        for name, value in values.items():
            self._check(name, value)
        for name, value in values.items():
            setattr(self, name, value)

    def _check(self, name: str, value: object) -> None:
        if name not in {known.name for known in fields(self)}:
            raise ValueError(f"no such behaviour: {name}")
        current = getattr(self, name)
        kinds = NUMBERS if type(current) in NUMBERS else {type(current)}
        if type(value) not in kinds:
            raise ValueError(f"{name} is a {type(current).__name__}")

    def reset(self) -> None:
        self.change(self._started_with)


@dataclass
class CloudBehaviour(Behaviour):
    """Defaults are the documented values of Atlassian Cloud.

    Reference: https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens
    """

    pkce_checked: bool = False
    # Cloud's access token is a long JWT; ours only looks like one.
    access_token_length: int = 2000
    # `account`: one grant collects every site that the person ever chose.
    # `resource`: a token reaches the one site of its own consent.
    grant_level: Literal["account", "resource"] = "account"
    # Atlassian's answer to a bad code was seen, its status was not.
    bad_code_status: int = 403
    # Reports differ on what the gateway says to an expired token.
    expired_status: int = 401
    points_per_hour: int = 65_000
    report_cycle: str = "P7D"


@dataclass
class DataCenterBehaviour(Behaviour):
    """Defaults are the shipped properties of Data Center's OAuth 2.0 provider.

    Reference: https://developer.atlassian.com/server/confluence/confluence-oauth2-provider-api
    """

    code_seconds: float = 10
    absolute_seconds: float = 100 * 365 * DAY
    leeway_seconds: float = 0
    old_access_token_seconds: float = 0
    reuse_after_leeway_kills_family: bool = False
    redirect_uri_required_on_refresh: bool = True
    anonymous_access: bool = False
    oauth_enabled: bool = True
    server_version: str = "9.2.4"
    state: str = "RUNNING"


@dataclass
class ClientRegistration:
    """What the console (Cloud) or the incoming link (Data Center) holds."""

    client_id: str
    client_secret: str
    redirect_uris: list[str] = field(default_factory=list)
    scopes: str = ""


@dataclass
class CloudSettings:
    client: ClientRegistration = field(
        default_factory=lambda: ClientRegistration(
            "sandbox-cloud-client", "sandbox-cloud-secret", scopes=CLOUD_SCOPES
        )
    )
    port: int = 0
    behaviour: CloudBehaviour = field(default_factory=CloudBehaviour)


@dataclass
class DataCenterSettings:
    client: ClientRegistration = field(
        default_factory=lambda: ClientRegistration(
            "sandbox-data-center-client",
            "sandbox-data-center-secret",
            scopes="WRITE",
        )
    )
    port: int = 0
    context_path: str = "/confluence"
    behaviour: DataCenterBehaviour = field(default_factory=DataCenterBehaviour)


@dataclass
class Settings:
    host: str = "127.0.0.1"
    cloud: CloudSettings = field(default_factory=CloudSettings)
    data_centers: list[DataCenterSettings] = field(
        default_factory=lambda: [DataCenterSettings()]
    )
    smtp_port: int | None = 0

    @classmethod
    def for_redirect_uris(
        cls, *, cloud: list[str] | None = None, data_center: list[str] | None = None
    ) -> Self:
        """The defaults, with these callbacks registered."""
        settings = cls()
        settings.cloud.client.redirect_uris = list(cloud or [])
        settings.data_centers[0].client.redirect_uris = list(data_center or [])
        return settings

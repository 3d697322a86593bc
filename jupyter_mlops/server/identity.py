"""Who asks: the name that the journal records.

Behind JupyterHub the user and the base URL come through by themselves: the hub starts `jupyterhub-singleuser`, whose
identity provider knows the hub's user and whose server has `/user/NAME/` as its base URL. With the plain token or password
of a server of one's own, Jupyter makes names such as "Anonymous Io" up, a new one for each browser: there the name of the
account that runs the server is the truth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from jupyter_mlops.workflows.person import system_user

__all__ = ["RULES", "Identity", "identify"]

RULES = ("auto", "provider", "system")
_MADE_UP = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Identity:
    """A user; `username` is recorded, `name` is shown."""

    username: str
    name: str

    def as_dict(self) -> dict[str, str]:
        """Plain data for JSON."""
        return {"username": self.username, "name": self.name}


def identify(user: Any, provider: Any, rule: str = "auto") -> Identity:
    """The user of a request.

    Parameters
    ----------
    user
        `current_user` of the handler.
    provider
        The server's identity provider.
    rule
        ``provider``: as the provider says; ``system``: the account that runs the server; ``auto``: the provider's user where
        it knows users, else the account.
    """
    if rule == "system" or (rule == "auto" and _is_made_up(user, provider)):
        name = system_user()
        return Identity(name, name)
    return Identity(str(user.username), str(user.display_name or user.name or user.username))


def _is_made_up(user: Any, provider: Any) -> bool:
    from jupyter_server.auth.identity import IdentityProvider

    # A provider that only adds a login page or a cookie's name still finds its users where Jupyter's own does.
    own = type(provider).get_user is IdentityProvider.get_user and type(provider)._get_user is IdentityProvider._get_user
    return own and _MADE_UP.fullmatch(str(user.username)) is not None

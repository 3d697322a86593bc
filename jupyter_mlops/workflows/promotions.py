"""Promotions as they stand in the journal, and what people decide about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from jupyter_mlops.errors import ConflictError, ForbiddenError, NotFoundError
from jupyter_mlops.promotion.journal import Entry, Journal, Moved
from jupyter_mlops.promotion.policy import why_not
from jupyter_mlops.promotion.rules import ApprovalRule
from jupyter_mlops.promotion.state import PromotionState, fold
from jupyter_mlops.promotion.view import view
from jupyter_mlops.tracking.store import registry_key
from jupyter_mlops.workflows.taking_over import traffic_back

__all__ = ["Decision", "decide", "find_promotion", "promotion_view", "promotions_of"]

Decision = Literal["approve", "reject", "cancel"]
_WORDS = {"approve": "approved", "reject": "rejected", "cancel": "cancelled"}


def promotions_of(
    database: str, registry: str, model: str, *, user: str, runs: Mapping[str, str | None] | None = None
) -> list[dict[str, Any]]:
    """The promotions of a model (`Promotion` of ``schema/api/models.yaml``), the newest first.

    Parameters
    ----------
    registry
        The tracking URI.
    user
        Who asks: decides `mayDecide`.
    runs
        The run of each version. Given these, promotions are left out that have ended and were about a version which was
        deleted, and whose number another one has by now.
    """
    found = Journal(database).of_model(registry_key(registry), model)
    if runs is not None:
        found = [one for one in found if (state := fold(one)).active or (runs.get(state.version) or "") == state.run]
    return [view(entries, user) for entries in found]


def promotion_view(database: str, promotion_id: str, *, user: str) -> dict[str, Any]:
    """One promotion.

    Raises
    ------
    NotFoundError
        There is none with that id.
    """
    return view(_entries(Journal(database), promotion_id), user)


def find_promotion(database: str, named: str, registry: str) -> PromotionState:
    """The promotion with that id, or the active one of the model with that name.

    Raises
    ------
    NotFoundError
        There is neither.
    """
    journal = Journal(database)
    if entries := journal.entries(named):
        return fold(entries)
    active = journal.active(registry_key(registry), named)
    if active is None:
        raise NotFoundError(
            f"{named} is neither a promotion nor a model in {registry_key(registry)} with a promotion under way. "
            "`jupyter mlops promote MODEL` begins one; --tracking-uri names another store."
        )
    return fold(journal.entries(active))


def decide(
    database: str, promotion_id: str, decision: Decision, *, user: str, comment: str, digest: str | None = None,
    registry: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Write a decision into the journal; whoever called then calls `promote` again to go on.

    Parameters
    ----------
    digest
        Of the artifact that the user looked at.
    registry
        Tracking URI of the store that the user looked at.

    Raises
    ------
    NotFoundError
        There is no such promotion, or it is of another store.
    ConflictError
        It does not wait for this (any more), or the artifact is another one.
    ForbiddenError
        The policy does not let this user decide.
    """
    journal = Journal(database)
    for _ in range(5):
        state = fold(_entries(journal, promotion_id))
        if registry is not None and registry_key(registry) != state.registry:
            raise NotFoundError(
                f"The promotion {promotion_id} is of the store {state.registry}, not of {registry_key(registry)}."
            )
        _check(state, decision, user, digest)
        try:
            data = {"comment": comment.strip(), "digest": state.digest}
            journal.append(state.last, user, _WORDS[decision], data)
        except Moved:  # a step ended in between: look again
            continue
        if decision == "cancel":  # nobody may be working on it who would do this
            traffic_back(journal, promotion_id, registry or state.registry, database, user)
        return view(journal.entries(promotion_id), user)
    raise ConflictError(f"The promotion {promotion_id} changes too fast to decide about it. Try again.")


def _check(state: PromotionState, decision: Decision, user: str, digest: str | None) -> None:
    name = f"The promotion of {state.model} version {state.version}"
    if not state.active:
        raise ConflictError(f"{name} is over: {state.status}. `jupyter mlops promote {state.model}` begins another one.")
    against = why_not(ApprovalRule.from_dict(state.rule or {}), state.author, user)
    if decision == "cancel":
        if state.lifecycle is not None or state.is_way_back:
            raise ConflictError(f"{name} is changing the registry by now. Let it end: `jupyter mlops promote {state.model}`.")
        if user not in (state.author, state.started_by) and (state.status != "waiting" or against):
            who = f"{state.started_by} or {state.author}" if state.author not in ("", state.started_by) else state.started_by
            raise ForbiddenError(f"{name} was begun by {state.started_by}. Ask {who} to cancel it.")
        return
    if state.status != "waiting":
        raise ConflictError(f"{name} does not wait for an approval now: it is {state.status}. Look at its steps.")
    if against:
        raise ForbiddenError(against)
    if digest is not None and digest != state.digest:
        raise ConflictError(
            f"{name} is for the artifact {_short(state.digest)}, not for the one that you looked at ({_short(digest)}). Look again."
        )


def _entries(journal: Journal, promotion_id: str) -> list[Entry]:
    entries = journal.entries(promotion_id)
    if not entries:
        raise NotFoundError(
            f"There is no promotion {promotion_id}. `jupyter mlops promote MODEL` shows the one under way, or begins one."
        )
    return entries


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "none"

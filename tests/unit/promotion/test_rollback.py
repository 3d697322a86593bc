"""Back into production: one step, in the journal, whatever cuts it off."""

from __future__ import annotations

import pytest

from jupyter_mlops.errors import ConflictError, NotFoundError, TrackingError
from jupyter_mlops.promotion.journal import Journal
from jupyter_mlops.tracking.store import store
from jupyter_mlops.workflows import promote as module
from jupyter_mlops.workflows.reconciling import reconcile
from tests.unit.promotion.place import Place
from tests.unit.promotion.registry import aliases, lifecycle

pytestmark = [
    # MLflow's and SQLAlchemy's own, in their use of each other.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:mlflow", "ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_back_to_the_version_before_and_forth(place: Place) -> None:
    first = place.version()
    place.to_production()
    with pytest.raises(NotFoundError, match="nothing to go back to"):
        place.back()
    second = place.version()
    place.to_production()
    asked = place.gates[0].asked
    done = place.back()
    assert (done.status, done.view["version"]) == ("promoted", first)
    assert [one["title"] for one in done.view["steps"]] == ["Back into production"]
    assert done.view["journal"][0]["message"] == f"Back to version {first}, to replace version {second}: it misbehaves"
    assert aliases(place.uri, place.model) == {"production": first, "previous": second}
    assert lifecycle(place.uri, place.model) == {first: "Production", second: "Archived"}
    assert place.gates[0].asked == asked
    # What the journal says now is what the registry is brought back to.
    with store(place.uri) as client:
        client.set_registered_model_alias(place.model, "production", second)
    assert reconcile(Journal(place.database), place.uri, place.model, place.database, "ada")
    assert aliases(place.uri, place.model)["production"] == first
    assert place.back().view["version"] == second
    assert aliases(place.uri, place.model) == {"production": second, "previous": first}


def test_no_way_back_while_a_promotion_is_under_way(place: Place) -> None:
    place.version()
    place.to_production()
    place.version()
    place.to_production()
    third = place.version()
    waiting = place.promote()
    with pytest.raises(ConflictError, match=rf"Version {third} .* is on its way.*reject {waiting.promotion}"):
        place.back()
    place.decide(waiting, "reject")
    assert place.back().status == "promoted"


def test_a_way_back_that_was_cut_off_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first = place.version()
    place.to_production()
    place.version()
    place.to_production()

    def away(*_: object) -> None:
        raise TrackingError("The registry is away. Start it.")

    with monkeypatch.context() as patch:
        patch.setattr(module, "apply_lifecycle", away)
        with pytest.raises(TrackingError):
            place.back()
    done = place.back()
    assert (done.status, aliases(place.uri, place.model)["production"]) == ("promoted", first)
    assert [one.what for one in Journal(place.database).entries(done.promotion)].count("lifecycle-changed") == 1

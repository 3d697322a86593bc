"""What a published repository gives, read with the generated project's own code in a process of its own.

python feature_reads.py REPOSITORY RESULT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd


def main(repository: str, result: str) -> None:
    """Write what training and Feast's own online read give."""
    from customers.predict import predict  # type: ignore[import-not-found]
    from customers.store import Store, raw_table, training_frame  # type: ignore[import-not-found]

    raw = raw_table()
    features = ["plan", "region", "joined", "visits", "spend", "card"]
    found: dict[str, Any] = {}

    # The events of the notebook's own training, in its order and under another index.
    events = raw[["customer_id", "seen_at", "left"]].set_axis(range(5000, 5000 + len(raw)))
    frame = training_frame(events, repository)
    found["same_index"] = frame.index.equals(events.index)
    found["same_table"] = frame[features].reset_index(drop=True).equals(raw[features].reset_index(drop=True))
    found["dtypes"] = frame[features].dtypes.astype(str).tolist() == raw[features].dtypes.astype(str).tolist()

    # Feast's traps: one event twice, before anything is known, of nobody; and between two months.
    late = int(raw.loc[raw["seen_at"] > "2025-05-01", "customer_id"].iloc[0])
    own = raw[raw["customer_id"] == late].sort_values("seen_at")
    second = own["seen_at"].iloc[0] + pd.Timedelta(1, "h")
    asked = pd.DataFrame(
        {
            "customer_id": [late, 7, late, late, late],
            "seen_at": [own["seen_at"].iloc[-1], second, own["seen_at"].iloc[-1], pd.Timestamp("2020-01-01"), second],
            "order": ["a", "b", "c", "d", "e"],
        }
    )
    trap = training_frame(asked, repository)
    found["orders"] = trap["order"].tolist()
    found["visits"] = [None if pd.isna(one) else int(one) for one in trap["visits"]]
    found["expected"] = [int(own["visits"].iloc[-1]), None, int(own["visits"].iloc[-1]), None, int(own["visits"].iloc[0])]
    found["without"] = trap.attrs["without_features"]
    found["none"] = len(training_frame(events.head(0), repository))

    # What Feast itself says of entities and times that it does not lose.
    store = Store(Path(repository))
    pairs = events[["customer_id", "seen_at"]].rename(columns={"seen_at": "event_timestamp"})
    pairs["event_timestamp"] = (pairs["event_timestamp"] + pd.Timedelta(3, "h")).dt.tz_localize("UTC")
    history = store._store.get_historical_features(entity_df=pairs, features=[f"customers:{name}" for name in features]).to_df()
    ours = training_frame(pairs, repository, timestamp="event_timestamp")
    by = ["customer_id", "event_timestamp"]
    theirs = history.sort_values(by)[features].reset_index(drop=True)
    found["as_feast"] = [
        len(history),
        theirs.astype(object).equals(ours.sort_values(by)[features].reset_index(drop=True).astype(object)),
    ]

    found["errors"] = []
    wrongs = (
        asked.drop(columns="seen_at"), asked.assign(plan="pro"), asked.assign(customer_id=None), None,
        asked.assign(customer_id="7"), asked.assign(customer_id=7.5),
    )  # fmt: skip
    for wrong in wrongs:
        try:
            training_frame(asked, None) if wrong is None else training_frame(wrong, repository)
        except ValueError as error:
            found["errors"].append(str(error))

    # Each customer's newest row, as training has it: the service has to predict the same for the id alone.
    newest = frame.assign(seen_at=events["seen_at"]).sort_values("seen_at").groupby("customer_id").tail(1)
    predicted = predict(newest)
    found["ids"] = newest["customer_id"].tolist()
    found["times"] = [one.isoformat() for one in newest["seen_at"]]
    found["predictions"] = predicted["prediction"].tolist()
    found["probabilities"] = predicted["probability_1"].tolist()

    # Feast's own read, of the view and of the feature program.
    inputs = [f"customers_input:model_{name}" for name in ("spend", "spend_of_plan", "plan_pro", "joined_year")]
    rows = [{"customer_id": key} for key in found["ids"][:50]]
    online = store._store.get_online_features(features=inputs, entity_rows=rows).to_df()
    from customers.features import build_features  # type: ignore[import-not-found]

    own_input = build_features(newest.head(50)).reset_index(drop=True)
    found["same_input"] = all(
        online[f"model_{name}"].tolist() == own_input[name].tolist()
        for name in ("spend", "spend_of_plan", "plan_pro", "joined_year")
    )

    # A model that takes one column less.
    from customers import schema  # type: ignore[import-not-found]

    del schema.COLUMNS["spend"]
    less = Store(Path(repository))
    found["less"] = [sorted(less.read([late])[0].values), "spend" in less.training_frame(asked).columns]
    Path(result).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The tables that the notebooks of the family read: a few hundred rows, the same on every machine."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_tables"]

ROWS = 420


def write_tables(folder: Path) -> None:
    """Write ``customers.csv``, ``cities.csv`` and ``orders.csv`` (side tables), and ``train.csv`` with ``test.csv``."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(7)
    n = ROWS

    def sometimes(values: object, share: float) -> object:
        return pd.Series(values).mask(random.random(n) < share)

    titles = random.choice(["Mr", "Mrs", "Miss", "Dr"], n, p=[0.45, 0.25, 0.25, 0.05])
    surnames = random.choice(["Smith", "O'Neil", "van Dijk", "Garcia", "Lindqvist", "Rossi"], n)
    firsts = random.choice(["Ann", "Bob", "Carla", "Dan", "Eve", "Finn"], n)
    words = np.array(["great", "slow", "cheap", "friendly", "broken", "fast", "never", "again", "love", "support"])
    city = random.choice(["Rome", "Oslo", "Lima", "Cairo", "Quito"], n, p=[0.35, 0.25, 0.2, 0.15, 0.05])
    fee = np.round(random.gamma(2.0, 12.0, n), 2)
    contract = random.choice(["Month-to-month", "One year", "Two year"], n, p=[0.5, 0.3, 0.2])
    visits = random.poisson(4, n)
    signup = pd.Timestamp("2019-01-01") + pd.to_timedelta(random.integers(0, 900, n), unit="D")
    last = signup + pd.to_timedelta(random.integers(1, 600, n), unit="D")
    pull = (fee > 25) * 1.2 + (contract == "Month-to-month") * 1.0 - 0.15 * visits + (city == "Oslo") * 0.7 - 0.9
    reviews = [f"{' '.join(random.choice(words, 4))}! {random.integers(1, 6)}/5" for _ in range(n)]
    customers = pd.DataFrame(
        {
            "customer_id": np.arange(1000, 1000 + n),
            "name": [f"{s}, {t}. {f}" for s, t, f in zip(surnames, titles, firsts, strict=True)],
            "gender": random.choice(["Male", "Female"], n),
            "age": sometimes(random.integers(18, 85, n).astype(float), 0.12),
            "income": sometimes(np.round(random.lognormal(10.3, 0.5, n), 0), 0.06),
            "city": sometimes(city, 0.04),
            "plan": sometimes(random.choice(["basic", "plus", "pro", "max"], n, p=[0.5, 0.3, 0.15, 0.05]), 0.03),
            "contract": contract,
            "size": random.choice(["S", "M", "L", "XL"], n),
            "visits": visits,
            "fee": fee,
            "discount": np.where(random.random(n) < 0.6, 0.0, np.round(random.random(n) * 30, 1)),
            "score": random.integers(1, 11, n),
            "rooms": random.integers(1, 6, n),
            "active": random.random(n) < 0.7,
            "phone": sometimes(random.integers(10**6, 10**7, n).astype(str), 0.8),
            "signup": signup.strftime("%Y-%m-%d"),
            "last_visit": sometimes(last.strftime("%d/%m/%Y"), 0.05),
            "review": reviews,
            "spend": np.round(np.exp(3 + 0.02 * fee + 0.1 * visits + random.normal(0, 0.3, n)), 2),
            "churn": np.where(random.random(n) < 1 / (1 + np.exp(-1.5 * pull)), "Yes", "No"),
        }
    )
    customers.to_csv(folder / "customers.csv", index=False)
    # Quito is not among them: a left join leaves holes.
    pd.DataFrame(
        {
            "city": ["Rome", "Oslo", "Lima", "Cairo"],
            "region": ["Europe", "Europe", "America", "Africa"],
            "population": [2.8, 0.7, 10.0, 9.5],
            "rent": [1200.0, 1500.0, 400.0, 250.0],
        }
    ).to_csv(folder / "cities.csv", index=False)
    count = 900
    pd.DataFrame(
        {
            "order_id": np.arange(count),
            "customer_id": random.choice(np.arange(1000, 1000 + n), count),
            "amount": np.round(random.gamma(2.0, 30.0, count), 2),
            "channel": random.choice(["web", "shop", "app"], count),
        }
    ).to_csv(folder / "orders.csv", index=False)
    customers.iloc[:300].to_csv(folder / "train.csv", index=False)
    customers.iloc[300:].drop(columns=["churn", "spend"]).to_csv(folder / "test.csv", index=False)

"""One model version's way into production: gates, policy, and the journal that is the truth about it."""

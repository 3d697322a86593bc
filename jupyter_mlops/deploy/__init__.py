"""Model versions behind one address: Envoy in front, replicas of each version behind it."""

"""What is shown in the notebook: cards, tables, progress. Rendering only."""

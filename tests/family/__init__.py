"""Small notebooks in the style of real ones, one for each way to learn something from the data in loose pandas."""

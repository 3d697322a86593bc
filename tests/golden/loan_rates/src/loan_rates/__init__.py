"""Interest rates of loans: made from loan_rates.ipynb."""

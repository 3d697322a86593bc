"""What is a house in Ames worth?: made from house_prices.ipynb."""

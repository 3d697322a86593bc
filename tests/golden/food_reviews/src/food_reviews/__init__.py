"""Is this review a five-star one?: made from food_reviews.ipynb."""

"""Constants of the notebook. Made from house_prices.ipynb."""

from __future__ import annotations

CONDITION = {
    "Very_Poor": 1,
    "Poor": 2,
    "Fair": 3,
    "Below_Average": 4,
    "Average": 5,
    "Above_Average": 6,
    "Good": 7,
    "Very_Good": 8,
    "Excellent": 9,
}
NUMBERS = [
    "total_area",
    "Gr_Liv_Area",
    "area_per_room",
    "log_lot_area",
    "age",
    "years_since_works",
    "bathrooms",
    "storeys",
    "condition",
    "air_conditioned",
    "porch",
    "planned_unit",
    "Fireplaces",
    "Garage_Area",
    "Mas_Vnr_Area",
]
GRADES = ["Heating_QC", "Exter_Cond"]
NAMES = ["neighbourhood", "Bldg_Type", "Foundation", "Garage_Finish", "masonry"]

"""From an analysed notebook to the files of a project: choice of model, plan, rendering."""

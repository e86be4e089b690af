"""A flight over a field: thousands of small photographs along lines, with disease in some parts of the field."""

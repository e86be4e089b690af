"""What a whole job says: shares per class, group, day and grid cell, and what a person should look at first."""

"""``make evaluate``, first part: what a recipe of training knows of each crop, and whether it knows its limits.

It judges the recipe, not one classifier: every picture is answered by a network that has learned neither it nor a
near-duplicate of it (``groups``), in five folds over all crops, over the sets of stated terms alone, and without each
crop. What a training says is kept in ``--work`` as numbers, so a stopped run goes on where it was.
"""

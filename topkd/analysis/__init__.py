"""What is computed, drawn and written about trained networks, one subject a file or folder.

``tools/analysis`` holds the commands; hooks use some of it during a training. A folder holds its numbers, its figure,
and ``record``: the JSON that the command writes and the numbers that tables read from it, by way of ``record_file``.

- ``trained_students``: a teacher and its students as one topology loss sees them, which most analyses start from.
- ``images``: their exact and approximated persistence images. ``image_error``: how far these are apart.
- ``bottleneck``: distances between their diagrams. ``embeddings``: their features in the plane, and scores of clusters.
- ``diagram``: diagram, barcode and image of any cloud. ``cost``: what an image costs. ``cloud_size``: points and width.
- ``run_history``: what trainings logged. ``style``: how figures look.
"""

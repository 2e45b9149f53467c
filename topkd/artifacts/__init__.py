"""The files that are made once a teacher: clouds, images and RipsNet."""

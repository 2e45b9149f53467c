"""Names, settings and checks of the files made once a teacher: clouds, images, RipsNet; topkd.runners makes them."""

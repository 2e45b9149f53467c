"""Where features are read in a network: how a tap is written, read, named, found and listed.

- ``tap_paths``: the grammar of taps. ``tap_views``: what is made of a tapped tensor.
- ``tap``: reads them for the length of a forward. ``recording``: notes all calls of a forward.
- ``stage_taps``, ``detector_taps``: the taps of known networks. ``found_taps``: those of any other.
- ``tap_names``: taps by name, such as ``@maps``, from these three. ``tappable``: the list of all, for a user.
"""

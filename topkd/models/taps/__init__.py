"""Where features are read in a network: how a tap is written, read, named, found and listed.

- ``tap_paths``: the grammar of taps. ``tap_views``: what is made of a tapped tensor.
- ``tap``: reads them for the length of a forward. ``recording``: notes all calls of a forward.
- ``stage_taps``: the taps of known classifiers. ``detector_taps``: those of detectors, and all that is known of their
  parts. ``found_taps``: the taps of any other network.
- ``tap_names``: taps by name, such as ``@maps``, from these three. ``tappable``: the list of all, for a user.
"""

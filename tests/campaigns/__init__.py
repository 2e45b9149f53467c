"""Campaigns against the tools: kills at every file write, processes side by side, malformed inputs, hard clouds."""

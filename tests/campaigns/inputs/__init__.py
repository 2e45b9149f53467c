"""Malformed inputs, generated from what the tools take: arguments, entries of configs, files of every format."""

from .campaign import campaign

__all__ = ['campaign']
